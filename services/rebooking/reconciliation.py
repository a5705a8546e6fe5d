"""The rules of reconciling: what is said of the lost appointments, and what becomes of the rest."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from services.rebooking.commands import Finding, ReconcileAppointments
from services.rebooking.paper import PaperRow
from shared.clock import london_date
from shared.events.booking import KeptFor
from shared.events.rebooking import Evidence, Outcome
from shared.records import Fault

_ONE_COMMAND = 500
_ONE_TRANSACTION = 1000


@dataclass(frozen=True, slots=True)
class LostAppointment:
    """An appointment of an outage. `outcome`, `evidence` and `state` are None until it is reconciled."""

    appointment: str
    practice: str
    patient: str
    start: datetime
    booked_at: datetime
    kept_for: KeptFor
    outcome: Outcome | None = None
    evidence: Evidence | None = None
    state: str | None = None


@dataclass(frozen=True, slots=True)
class Said:
    """What somebody says of one appointment, by its id, in the place `number` of a list. `at` is when it happened."""

    number: int
    appointment: str
    outcome: Outcome
    at: datetime | None = None

    @property
    def place(self) -> str:
        return f"findings.{self.number}"


@dataclass(frozen=True, slots=True)
class Wrong:
    """What is wrong with what was said, in which field."""

    said: Said
    field: str
    reason: str


@dataclass(frozen=True, slots=True)
class Dated:
    """A command, and when what it tells of happened; None is now."""

    command: ReconcileAppointments
    at: datetime | None


@dataclass(frozen=True, slots=True)
class Found:
    """A finding, the practice it is of, and when it happened; None is now."""

    practice: str
    finding: Finding
    at: datetime | None


S = TypeVar("S", PaperRow, Said)


def match_paper(
    rows: Iterable[PaperRow], lost: Iterable[LostAppointment], pseudonym: Callable[[str], str], now: datetime
) -> tuple[list[Found], list[Fault]]:
    """What the lines say of which appointments, and what is wrong with the others."""
    booked: defaultdict[tuple[str, datetime, str], list[LostAppointment]] = defaultdict(list)
    for each in lost:
        booked[each.practice, each.start, each.patient].append(each)
    earlier: dict[str, PaperRow] = {}
    found: list[Found] = []
    faults: list[Fault] = []
    for row in rows:
        match booked.get((row.practice, row.start, pseudonym(row.nhs_number)), []):
            case [appointment]:
                wrong = _objection(row, earlier.setdefault(appointment.appointment, row), appointment)
                if wrong is None:
                    found.append(_found(row, appointment, now))
            case others:
                wrong = _nobody(others)
        if wrong is not None:
            faults.append(Fault(row.line, *wrong))
    return found, faults


def match_said(said: Iterable[Said], lost: Iterable[LostAppointment], now: datetime) -> tuple[list[Found], list[Wrong]]:
    """What is said of which appointments, and what is wrong with the rest of it."""
    known = {each.appointment: each for each in lost}
    earlier: dict[str, Said] = {}
    found: list[Found] = []
    faults: list[Wrong] = []
    for each in said:
        appointment = known.get(each.appointment)
        if appointment is None:
            faults.append(Wrong(each, "appointment", "The outage takes no such appointment at this practice"))
            continue
        wrong = _objection(each, earlier.setdefault(each.appointment, each), appointment)
        if wrong is None:
            found.append(_found(each, appointment, now))
        else:
            faults.append(Wrong(each, *wrong))
    return found, faults


def _nobody(others: Sequence[LostAppointment]) -> tuple[str, str]:
    if others:
        return "nhs_number", "This patient had two appointments at this time: cancel one of them first"
    return "nhs_number", "This patient had no appointment here at this time of the outage"


def _objection(said: S, earlier: S, appointment: LostAppointment) -> tuple[str, str] | None:
    """The field that is wrong with what was said, if one is, and why."""
    if earlier is not said and earlier.outcome == said.outcome:
        return "outcome", f"This is there twice: {earlier.place} says the same"
    if earlier is not said:
        return "outcome", f"This contradicts {earlier.place}, which says {earlier.outcome}"
    if _contradicts(said.outcome, appointment):
        return "outcome", f"It is already known to be {appointment.state}"
    return None


def _contradicts(outcome: Outcome, appointment: LostAppointment) -> bool:
    """What the rule assumed may be corrected, as long as no move was asked for."""
    if appointment.outcome in (None, outcome):
        return False
    return appointment.evidence != "rule" or appointment.state not in ("triage", "displaced", "planned", "refused")


def _found(said: PaperRow | Said, appointment: LostAppointment, now: datetime) -> Found:
    """On the day it was written on paper: when it happened, if it says so, or else when it was to happen."""
    finding = Finding(appointment.appointment, appointment.patient, said.outcome, "paper")
    return Found(appointment.practice, finding, said.at or min(appointment.start, now))


def by_rule(lost: Iterable[LostAppointment], accounted: Collection[str]) -> Iterator[Found]:
    """Whoever is not accounted for: same-day demand goes to triage, all others are displaced."""
    for each in lost:
        if each.outcome is None and each.appointment not in accounted:
            outcome: Outcome = "triage" if is_same_day(each.kept_for, each.booked_at, each.start) else "displaced"
            yield Found(each.practice, Finding(each.appointment, each.patient, outcome, "rule"), None)


def is_same_day(kept_for: KeptFor, booked_at: datetime, start: datetime) -> bool:
    """Booked on the day it was for, or in a slot kept for that: by now a clinician must see what has become of it."""
    return kept_for == "same-day" or london_date(booked_at) == london_date(start)


def all_at_once(outage: str, found: Iterable[Found], typed_by: str) -> list[Dated]:
    """The findings as commands, each of one practice and one moment."""
    alike: defaultdict[tuple[str, datetime | None], list[Finding]] = defaultdict(list)
    for each in found:
        alike[each.practice, each.at].append(each.finding)
    return [
        Dated(ReconcileAppointments(outage, practice, tuple(findings[start : start + _ONE_COMMAND]), typed_by), at)
        for (practice, at), findings in alike.items()
        for start in range(0, len(findings), _ONE_COMMAND)
    ]


def piece_by_piece(outage: str, found: Iterable[Found], typed_by: str) -> Iterator[list[Dated]]:
    """The same in groups small enough for one transaction each: for what the rule says, which is never refused."""
    together: list[Dated] = []
    size = 0
    for dated in all_at_once(outage, found, typed_by):
        if size + len(dated.command.findings) > _ONE_TRANSACTION:
            yield together
            together, size = [], 0
        together.append(dated)
        size += len(dated.command.findings)
    if together:
        yield together
