"""What rebooking's log says of each appointment of an outage, one step at a time."""

from collections.abc import Iterator
from datetime import datetime
from typing import Literal, NamedTuple

from shared.events.envelope import Recorded
from shared.events.rebooking import (
    AppointmentReconciled,
    CallMade,
    CallNeeded,
    ConstraintsNoted,
    MoveConfirmed,
    MoveRefused,
    MoveRequested,
    OfferDeclined,
    OfferKept,
    OfferUnanswered,
    PlanApproved,
    PlanExpired,
    PlanProposed,
)

COUNTED = (
    AppointmentReconciled,
    ConstraintsNoted,
    PlanProposed,
    PlanApproved,
    PlanExpired,
    MoveRequested,
    MoveConfirmed,
    MoveRefused,
    OfferKept,
    OfferDeclined,
    OfferUnanswered,
    CallNeeded,
    CallMade,
)
"""The events that steps are made of."""

What = Literal[
    "reconciled",
    "proposed",
    "placed",
    "unplaced",
    "approved",
    "expired",
    "constrained",
    "requested",
    "moved",
    "refused",
    "told",
    "kept",
    "declined",
    "unanswered",
    "call-needed",
    "call-made",
]


class Step(NamedTuple):
    """What an event says of one appointment, or, if none is named, of the practice's plan.

    `name` is the outcome, the wish or the new appointment, as `what` needs; `start` that of the new appointment.
    """

    at: datetime
    what: What
    practice: str
    appointment: str = ""
    name: str = ""
    start: datetime | None = None


def steps_of(recorded: Recorded) -> Iterator[Step]:
    """What an event says, appointment by appointment."""
    at = recorded.recorded_at
    match recorded.event:
        case AppointmentReconciled(practice=practice, appointment=appointment, outcome=outcome):
            yield Step(at, "reconciled", practice, appointment, outcome)
        case PlanProposed(practice=practice, placements=placements, unplaced=unplaced):
            yield Step(at, "proposed", practice)
            yield from (Step(at, "placed", practice, each.appointment) for each in placements)
            yield from (Step(at, "unplaced", practice, each.appointment) for each in unplaced)
        case PlanApproved(practice=practice):
            yield Step(at, "approved", practice)
        case PlanExpired(practice=practice):
            yield Step(at, "expired", practice)
        case ConstraintsNoted(practice=practice, appointment=appointment):
            yield Step(at, "constrained", practice, appointment)
        case MoveRequested(practice=practice, appointment=appointment):
            yield Step(at, "requested", practice, appointment)
        case MoveConfirmed(practice=practice, appointment=appointment, to_appointment=moved_to, to_start=start):
            yield Step(at, "moved", practice, appointment, moved_to, start)
        case MoveRefused(practice=practice, appointment=appointment):
            yield Step(at, "refused", practice, appointment)
        case OfferKept(practice=practice, appointment=appointment):
            yield Step(at, "kept", practice, appointment)
        case OfferDeclined(practice=practice, appointment=appointment, wish=wish):
            yield Step(at, "declined", practice, appointment, wish)
        case OfferUnanswered(practice=practice, appointment=appointment):
            yield Step(at, "unanswered", practice, appointment)
        case CallNeeded(practice=practice, appointment=appointment):
            yield Step(at, "call-needed", practice, appointment)
        case CallMade(practice=practice, appointment=appointment, outcome=result):
            yield Step(at, "call-made", practice, appointment, result)
        case _:
            pass


def told(practice: str, appointment: str, at: datetime) -> Step:
    """The text about this new appointment was first taken by the provider."""
    return Step(at, "told", practice, "", appointment)
