"""At every moment of the log each slot has one taker at most, who could take it then; and each move has one answer."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from shared.events.booking import (
    AppointmentBooked,
    AppointmentCancelled,
    AppointmentDisplaced,
    AppointmentEnteredInError,
    AppointmentMoved,
    HoldReleased,
    Inflow,
    MoveRejected,
    PracticeFrozen,
    PracticeReopened,
    SessionPublished,
    SlotsAdded,
    SlotsHeld,
    SlotsWithdrawn,
)
from shared.events.envelope import Recorded
from shared.events.rebooking import MoveConfirmed, MoveRefused, MoveRequested
from tests.chaos.evidence import Evidence, Violation

TWICE, GONE, FROZEN = (
    "A slot is held twice",
    "A slot is taken that is not in the diary",
    "A frozen practice took a new appointment",
)


@dataclass(slots=True)
class Diary:
    """Who has which slot. `keeps_out`: by practice and outage."""

    known: set[str] = field(default_factory=set)
    takers: dict[str, str] = field(default_factory=dict)
    took: dict[str, Recorded] = field(default_factory=dict)
    keeps_out: dict[tuple[str, str], tuple[Inflow, ...]] = field(default_factory=dict)


def no_slot_twice(evidence: Evidence) -> Iterator[Violation]:
    """The guards of booking hold when its log is replayed."""
    diary = Diary()
    for recorded in evidence.log:
        if recorded.service == "booking":
            yield from _next(diary, recorded)
    for slot, taker in diary.takers.items():
        if slot not in diary.known:
            yield Violation(GONE, f"in the end {taker} has the withdrawn slot {slot}", [diary.took[slot]])


def moves_answered_once(evidence: Evidence) -> Iterator[Violation]:
    """Each request for a move has one answer of booking's, and that is taken note of once."""
    for kinds, what in (
        ((MoveRequested,), "requested"),
        ((AppointmentMoved, MoveRejected), "answered"),
        ((MoveConfirmed, MoveRefused), "noted"),
    ):
        by_move: dict[str, list[Recorded]] = {}
        for recorded in evidence.log:
            if isinstance(recorded.event, kinds):
                by_move.setdefault(recorded.event.move, []).append(recorded)
        for move, found in by_move.items():
            if len(found) > 1:
                yield Violation("A move was made twice", f"{move} is {what} {len(found)} times", found)
        if what == "requested":
            requested = by_move
        for move in requested.keys() - by_move.keys():
            yield Violation("A move came to nothing", f"{move} was never {what}", requested[move])
        for move in by_move.keys() - requested.keys():
            yield Violation("A move was made that nobody asked for", move, by_move[move])


def _next(diary: Diary, recorded: Recorded) -> Iterator[Violation]:
    match recorded.event:
        case SessionPublished(slots=slots) | SlotsAdded(slots=slots):
            diary.known |= {slot.id for slot in slots}
        case SlotsWithdrawn(slots=gone):
            diary.known -= set(gone)
        case AppointmentBooked(appointment=taker, slots=wanted) | SlotsHeld(appointment=taker, slots=wanted):
            yield from _kept_out(diary, recorded)
            yield from _taken(diary, recorded, taker, wanted)
        case (
            AppointmentCancelled(appointment=taker)
            | AppointmentMoved(appointment=taker)
            | AppointmentDisplaced(appointment=taker)
            | AppointmentEnteredInError(appointment=taker)
            | HoldReleased(appointment=taker)
        ):
            for slot in [slot for slot, other in diary.takers.items() if other == taker]:
                del diary.takers[slot]
        case PracticeFrozen(practice=practice, outage=outage, keeps_out=keeps_out):
            diary.keeps_out[practice, outage] = keeps_out
        case PracticeReopened(practice=practice, outage=outage):
            diary.keeps_out.pop((practice, outage), None)
        case _:
            pass


def _taken(diary: Diary, recorded: Recorded, taker: str, wanted: Iterable[str]) -> Iterator[Violation]:
    for slot in wanted:
        other = diary.takers.get(slot, taker)
        if other != taker:
            yield Violation(TWICE, f"{slot}: {other} has it, and {taker} takes it", [diary.took[slot], recorded])
        if slot not in diary.known:
            yield Violation(GONE, slot, [recorded])
        diary.takers[slot], diary.took[slot] = taker, recorded


def _kept_out(diary: Diary, recorded: Recorded) -> Iterator[Violation]:
    """Moves go on in an outage, and so does what is brought over from other diaries."""
    match recorded.event:
        case SlotsHeld(practice=practice, held_by=by):
            pass
        case AppointmentBooked(practice=practice, booked_by=by, move="") as booked if booked.identifier:
            pass
        case _:
            return
    standing: Inflow = "practice" if by == practice else "public"
    for (at, outage), keeps_out in diary.keeps_out.items():
        if at == practice and standing in keeps_out:
            yield Violation(FROZEN, f"{practice} keeps out {standing} for outage {outage}", [recorded])
