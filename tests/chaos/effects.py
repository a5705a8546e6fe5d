"""The names under which the log shows what came of a command; a client knows them before it asks, or by the answer."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

from shared.events.booking import (
    AppointmentAmended,
    AppointmentBooked,
    AppointmentCancelled,
    HoldReleased,
    SessionPublished,
    SlotsAdded,
    SlotsHeld,
    SlotsWithdrawn,
)
from shared.events.envelope import Recorded
from shared.events.notifications import ReplyReceived, ReplyUnmatched
from shared.events.rebooking import AppointmentReconciled, OutageDeclared, OutageEnded, PlanApproved, PlanProposed

OURS = "urn:chaos"
"""The system of the identifiers that the clients give to what they book."""

CANCELLED_FOR = "pat-crs"
"""The reason for which the clients cancel; nothing else in Daybook gives it."""


def booking(number: str) -> str:
    return f"booking {number}"


def confirmed(hold: str) -> str:
    return f"confirmed {hold}"


def cancelled(appointment: str) -> str:
    return f"cancelled {appointment}"


def rescheduled(appointment: str) -> str:
    return f"rescheduled {appointment}"


def amended(appointment: str, description: str) -> str:
    return f"amended {appointment} {description}"


def held(hold: str) -> str:
    return f"held {hold}"


def released(hold: str) -> str:
    return f"released {hold}"


def published(session: str) -> str:
    return f"published {session}"


def added(slot: str) -> str:
    return f"added {slot}"


def withdrawn(reason: str) -> str:
    return f"withdrawn {reason}"


def imported(source: str) -> str:
    return f"imported {source}"


def declared(name: str) -> str:
    return f"declared {name}"


def ended(outage: str) -> str:
    return f"ended {outage}"


def reconciled(typed_by: str) -> str:
    return f"reconciled {typed_by}"


def proposed(plan: str) -> str:
    return f"proposed {plan}"


def approved(by: str) -> str:
    return f"approved {by}"


def replied(reply: str) -> str:
    return f"replied {reply}"


def effects(log: Iterable[Recorded], descriptions: Mapping[str, str]) -> Mapping[str, list[Recorded]]:
    """Every effect that the log shows, with the events that show it. `descriptions`: by event, what was sealed."""
    found: defaultdict[str, list[Recorded]] = defaultdict(list)
    for recorded in log:
        for effect in effects_of(recorded, descriptions):
            found[effect].append(recorded)
    return found


def effects_of(recorded: Recorded, descriptions: Mapping[str, str]) -> Iterator[str]:
    """Of a booking that was a hold before, both names: its own number, and the hold's."""
    match recorded.event:
        case AppointmentBooked():
            yield from _of_booking(recorded.event)
        case AppointmentCancelled(appointment=appointment, replaced_by=replaced_by) if replaced_by:
            yield rescheduled(appointment)
        case AppointmentCancelled(appointment=appointment, reason=reason) if reason == CANCELLED_FOR:
            yield cancelled(appointment)
        case AppointmentAmended(appointment=appointment):
            yield amended(appointment, descriptions.get(recorded.id, "?"))
        case SlotsHeld(appointment=hold):
            yield held(hold)
        case HoldReleased(appointment=hold):
            yield released(hold)
        case SessionPublished(session=session):
            yield published(session)
        case SlotsAdded(slots=slots):
            yield from (added(slot.id) for slot in slots)
        case SlotsWithdrawn(reason=reason):
            yield withdrawn(reason)
        case ReplyReceived(reply=reply) | ReplyUnmatched(reply=reply):
            yield replied(reply)
        case _:
            yield from _of_recovery(recorded)


def explanations(recorded: Recorded, descriptions: Mapping[str, str]) -> Iterator[str]:
    """The effects of which any command that was asked explains the event."""
    yield from effects_of(recorded, descriptions)
    match recorded.event:
        case SessionPublished(name=name):
            yield imported(name)
        case AppointmentBooked(replaces=before, move="") if before:
            yield rescheduled(before)
        case _:
            pass


def _of_booking(event: AppointmentBooked) -> Iterator[str]:
    system, _, number = event.identifier.partition("|")
    if system == OURS:
        yield booking(number)
    elif not event.move and not event.replaces:
        yield imported(event.booked_by)
    yield confirmed(event.appointment)


def _of_recovery(recorded: Recorded) -> Iterator[str]:
    match recorded.event:
        case OutageDeclared(name=name):
            yield declared(name)
        case OutageEnded(outage=outage):
            yield ended(outage)
        case AppointmentReconciled(typed_by=typed_by) if typed_by:
            yield reconciled(typed_by)
        case PlanProposed(plan=plan):
            yield proposed(plan)
        case PlanApproved(approved_by=by):
            yield approved(by)
        case _:
            pass
