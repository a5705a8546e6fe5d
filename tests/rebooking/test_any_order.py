"""Whatever happens to a patient, in whatever order: they never lose a time they have, and the tables say the same."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, get_args

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import asdict

from services.rebooking.cases import Case, Declined, Kept, Moved, Requested, Settled, Unanswered, Waiting
from services.rebooking.commands import (
    ApprovePlan,
    ClaimCall,
    ConfirmMove,
    LapseOffer,
    NeedCall,
    ProposePlan,
    RebookingCommand,
    RecordAnswer,
    RecordCall,
    RefuseMove,
    RequestMoves,
    StopWaiting,
)
from services.rebooking.decider import rebooking
from services.rebooking.projections import project
from services.rebooking.states import Recovery, State
from services.rebooking.tables import calls, recoveries
from shared.events.notifications import Answer
from shared.events.rebooking import CallOutcome, MoveRequested, RebookingEvent
from shared.ids import derived_id
from shared.project import Patch, Put
from shared.refusals import Refusal
from tests.house.examples import in_the_log
from tests.rebooking.deciding import NOW, TUESDAY, placement, reconciled

REFUSABLE = (ProposePlan, ApprovePlan, ClaimCall, RecordCall)
"""Somebody waits for the answer. All else is a reaction: it is never refused, and a repeat is nothing."""

Row = tuple[str, str, str, str]


class Patient:
    """One patient's way back, as the rules remember it and as the tables show it."""

    def __init__(self) -> None:
        self.state: State = rebooking.initial
        self.tables: dict[Any, dict[str, Any]] = {recoveries: {}, calls: {}}
        self.asked: list[MoveRequested] = []
        self._happened(reconciled())

    @property
    def recovery(self) -> Recovery:
        assert isinstance(self.state, Recovery)
        return self.state

    @property
    def case(self) -> Case:
        return self.recovery.cases["lost"]

    def ask(self, command: RebookingCommand) -> None:
        """Decided, and what follows has happened; whoever had a time has one still, or needs none any more."""
        before = _time(self.case)
        try:
            events = self._decided(command)
        except Refusal:
            assert isinstance(command, REFUSABLE)
            return
        for event in events:
            self._happened(event)
        assert _row(self.case, self.tables[recoveries]["state"]) == self._row()
        assert ("lost" in self.recovery.calls) == (self.tables[calls].get("state") == "needed")
        assert _time(self.case) or not before or isinstance(self.case, Settled)
        assert isinstance(command, REFUSABLE) or not self._decided(command)

    def _decided(self, command: RebookingCommand) -> Sequence[RebookingEvent]:
        return rebooking.decide(dict.fromkeys(rebooking.touches(command), self.state), command)

    def _row(self) -> Row:
        row = self.tables[recoveries]
        return row["outcome"], row["state"], row["wish"], row["standing"]

    def _happened(self, event: RebookingEvent) -> None:
        self.state = rebooking.evolve(self.state, event)
        if isinstance(event, MoveRequested):
            self.asked.append(event)
        for change in project(in_the_log(event)):
            if isinstance(change, Put | Patch) and change.table in self.tables:
                self.tables[change.table].update(asdict(change.row) if isinstance(change, Put) else change.values)


def _time(case: Case) -> str:
    """The appointment that the patient has in the lost one's place, if any."""
    match case:
        case Moved(offer=offer) | Kept(offer=offer) | Unanswered(offer=offer) | Declined(offer=offer):
            return offer.appointment
        case Requested(stands=Declined(offer=offer)):
            return offer.appointment
        case _:
            return ""


def _row(case: Case, state: str) -> Row:
    """What the table must say of the case; how far a plan has come with who waits is the table's alone."""
    match case:
        case Settled(outcome=outcome):
            return outcome, outcome, "", ""
        case Waiting():
            return "displaced", state if state in ("displaced", "planned", "refused") else "waits", "", ""
        case Requested(stands=None):
            return "displaced", "requested", "", ""
        case Declined(wish=wish) | Requested(stands=Declined(wish=wish)):
            return "displaced", "declined", wish, _time(case)
        case _:
            return "displaced", type(case).__name__.lower(), "", _time(case)


BACK = st.sampled_from([0, 0, 0, 1, 2])
"""Which move is spoken of, counted from the newest."""
MOMENTS = st.sampled_from([NOW + timedelta(hours=hours) for hours in (0, 1, 25, 60)])
WHO = st.sampled_from(["Ann", "Bea"])
FRESH_OFFERS = 2


def _plan(patient: Patient, days: int, steps: int) -> list[RebookingCommand]:
    plan = f"plan {len(patient.asked)}"
    place = placement(standing=_time(patient.case), to_start=TUESDAY + timedelta(days=days))
    carried_out: list[RebookingCommand] = [
        ProposePlan("outage", "A1", plan, plan, 7, NOW + timedelta(days=9), (place,), ()),
        ApprovePlan("outage", "A1", plan, plan, "Ann", NOW),
        RequestMoves("outage", "A1", plan),
    ]
    return carried_out[:steps]


def _spoken_of(patient: Patient, back: int) -> list[MoveRequested]:
    return patient.asked[::-1][back : back + 1]


def _confirm(patient: Patient, back: int, textable: bool) -> list[RebookingCommand]:
    return [
        ConfirmMove(
            "outage",
            "A1",
            asked.standing or "lost",
            asked.move,
            derived_id("appointment", asked.move),
            asked.to_start,
            textable=textable,
            answer_by=NOW + timedelta(hours=20),
        )
        for asked in _spoken_of(patient, back)
    ]


def _refuse(patient: Patient, back: int, over: Any) -> list[RebookingCommand]:
    return [
        RefuseMove("outage", "A1", asked.standing or "lost", asked.move, "Taken", over)
        for asked in _spoken_of(patient, back)
    ]


def _text(patient: Patient, back: int, answer: Answer, at: Any) -> list[RebookingCommand]:
    return [RecordAnswer("outage", "A1", asked.move, answer, at, FRESH_OFFERS) for asked in _spoken_of(patient, back)]


def _silence(patient: Patient, back: int, at: Any) -> list[RebookingCommand]:
    return [LapseOffer("outage", "A1", asked.move, at) for asked in _spoken_of(patient, back)]


def _diary(patient: Patient, outcome: Any, seldom: int) -> Sequence[RebookingCommand]:
    return [StopWaiting("outage", "A1", _time(patient.case) or "lost", outcome)][seldom:]


def _ring(_: Patient, who: str, at: Any) -> list[RebookingCommand]:
    needed = NeedCall("outage", "A1", "lost", "Why not")
    return [needed, ClaimCall("outage", "A1", "lost", who, at, at + timedelta(minutes=20))]


def _say(_: Patient, outcome: CallOutcome, who: str, at: Any) -> list[RebookingCommand]:
    return [RecordCall("outage", "A1", "lost", outcome, who, "", at, FRESH_OFFERS)]


_MOVED = (_plan, st.integers(0, 3), st.just(3)), (_confirm, st.just(0), st.booleans())
"""What happens most, or patients would seldom come far."""

HAPPENINGS = st.one_of(
    *(
        st.tuples(st.just(follows), *details)
        for follows, *details in (
            *_MOVED,
            *_MOVED,
            (_text, st.just(0), st.just("another-time"), st.just(NOW)),
            (_text, st.just(0), st.just("another-time"), st.just(NOW)),
            (_plan, st.integers(0, 3), st.integers(1, 2)),
            (_confirm, BACK, st.booleans()),
            (_refuse, st.just(0), st.none()),
            (_refuse, BACK, st.sampled_from([None, "cancelled"])),
            (_text, BACK, st.sampled_from(get_args(Answer)), MOMENTS),
            (_silence, BACK, MOMENTS),
            (_diary, st.sampled_from(["cancelled", "rescheduled"]), st.integers(0, 3)),
            (_ring, WHO, MOMENTS),
            (_say, st.sampled_from(get_args(CallOutcome)), WHO, MOMENTS),
        )
    )
)


@settings(max_examples=250, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(HAPPENINGS, min_size=8, max_size=30))
def test_a_patient_who_has_a_time_never_loses_it_and_the_tables_agree_with_the_rules(
    happenings: list[tuple[Any, ...]],
) -> None:
    patient = Patient()
    for follows, *details in happenings:
        for command in follows(patient, *details):
            patient.ask(command)
