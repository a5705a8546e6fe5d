"""Whatever is asked of a diary, in whatever order: no slot is given away twice, and the tables agree with the rules."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import astuple

from services.booking.commands import (
    BookAppointment,
    BookingCommand,
    CancelAppointment,
    ConfirmHold,
    ExpireHolds,
    HoldSlots,
    MarkAppointment,
    MoveAppointment,
    PublishSession,
    ReleaseHold,
    RescheduleAppointment,
    WithdrawSlots,
)
from services.booking.decider import decider
from services.booking.projections import project
from services.booking.states import Page, State
from services.booking.tables import occupancy
from shared.events.booking import BookingEvent, Slot
from shared.project import Put, Remove
from shared.refusals import Refusal
from tests.booking.deciding import ANN, CLINIC, MONDAY, NOW, OPENED, OWN, REGISTERED, TUESDAY, published, sheet, slot
from tests.house.examples import in_the_log

DAYS = {
    name: tuple(slot(f"{name} {n}", start + timedelta(minutes=10 * n)) for n in range(4))
    for name, start in (("monday", MONDAY), ("tuesday", TUESDAY))
}
MOMENTS = [NOW, NOW + timedelta(minutes=20), MONDAY + timedelta(minutes=15), TUESDAY + timedelta(hours=3)]


class Diary:
    """The states of two pages and their practice, and who has which slot as the table of that says."""

    def __init__(self) -> None:
        streams = ("practice/A1", "session/monday", "session/tuesday")
        self.states: dict[str, State] = dict.fromkeys(streams, decider.initial)
        self.occupied: dict[tuple[str, str], object] = {}
        past: list[BookingEvent] = [REGISTERED, OPENED, *(published(day, *slots) for day, slots in DAYS.items())]
        for event in past:
            self._happened(event)

    def ask(self, command: BookingCommand) -> None:
        try:
            events = decider.decide({stream: self.states[stream] for stream in decider.touches(command)}, command)
        except Refusal:
            return
        for event in events:
            self._happened(event)
            self.check()

    def page(self, day: str) -> Page:
        page = self.states[f"session/{day}"]
        assert isinstance(page, Page)
        return page

    def check(self) -> None:
        taken = [slot for _, slot in self.occupied]
        assert len(taken) == len(set(taken))
        takers = {(taker, slot) for day in DAYS for slot, taker in self.page(day).takers.items()}
        assert set(self.occupied) == takers

    def _happened(self, event: BookingEvent) -> None:
        self.states[event.stream] = decider.evolve(self.states[event.stream], event)
        for change in project(in_the_log(event)):
            match change:
                case Put(table, row) if table is occupancy:
                    appointment, slot, until = astuple(row)
                    self.occupied[appointment, slot] = until
                case Remove(table, key) if table is occupancy:
                    self.occupied.pop((key["appointment"], key["slot"]), None)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_no_slot_is_given_away_twice_and_the_table_of_takers_says_so(data: st.DataObject) -> None:
    diary, now = Diary(), NOW
    for turn in range(data.draw(st.integers(1, 25))):
        now = max(now, data.draw(st.sampled_from(MOMENTS)) if turn % 6 == 5 else now)
        diary.ask(_command(data, diary, f"new {turn}", now))
    for day in DAYS:
        _check_standing(diary.page(day))


def _check_standing(page: Page) -> None:
    """Every slot that an appointment or a lasting hold has is its own, and none is withdrawn under who is expected."""
    for known in page.appointments.values():
        assert all(page.takers[slot] == known.booked.appointment for slot in known.slots)
        assert not (known.to_come and page.withdrawn.intersection(known.slots) and known.booked.start > NOW)
    held = {slot for hold in page.holds.values() if not hold.released for slot in hold.held.slots}
    had = {slot for known in page.appointments.values() for slot in known.slots}
    assert (held | had) == set(page.takers)
    assert not held & had


def _command(data: st.DataObject, diary: Diary, new: str, now: datetime) -> BookingCommand:
    day, to_day = data.draw(st.sampled_from(["monday", "tuesday"])), data.draw(st.sampled_from(["monday", "tuesday"]))
    page = diary.page(day)
    slots = _some(data, DAYS[to_day])
    ids = tuple(slot.id for slot in slots)
    start, end = slots[0].start, slots[-1].start + timedelta(minutes=10)
    asker = data.draw(st.sampled_from([OWN, CLINIC]))
    known = data.draw(st.sampled_from(sorted(page.appointments) or ["nobody's"]))
    version = page.appointments[known].version if known in page.appointments else 0
    held = data.draw(st.sampled_from(sorted(page.holds) or ["nobody's"]))
    holding = page.holds[held].version if held in page.holds else 0
    until = now + timedelta(minutes=15)
    mark: Any = data.draw(st.sampled_from(["arrived", "fulfilled", "noshow", "entered-in-error"]))
    commands: Sequence[BookingCommand] = (
        BookAppointment(new, "A1", to_day, ids, start, end, ANN, "details, sealed", True, asker, now),
        HoldSlots(new, "A1", to_day, ids, start, end, asker, until, now),
        ConfirmHold("A1", day, held, holding, ANN, "details, sealed", True, asker, now),
        ReleaseHold(day, held, holding, now),
        ExpireHolds(day, now),
        CancelAppointment(day, known, version, "patient", "pat", now),
        RescheduleAppointment("A1", day, known, version, to_day, ids, new, "patient", "pat", asker, now),
        MarkAppointment(day, known, version, mark, now),
        MoveAppointment(f"move {new}", "outage", "A1", known, day, to_day, ids[0], start, new, now),
        WithdrawSlots("A1", day, (), "Ill", f"withdrawal {new}", page.version, now),
        WithdrawSlots("A1", to_day, ids, "Ill", f"withdrawal {new}", diary.page(to_day).version, now),
        PublishSession(sheet(*DAYS[day], session=day), NOW),
    )
    return data.draw(st.sampled_from(commands))


def _some(data: st.DataObject, slots: Sequence[Slot]) -> Sequence[Slot]:
    first = data.draw(st.integers(0, len(slots) - 1))
    return slots[first : first + data.draw(st.integers(1, 2))]
