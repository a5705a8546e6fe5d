"""Folds the call list into rows: whom to telephone, whose call it is, and every try."""

from collections.abc import Iterable

from msgspec import Struct

from services.rebooking.states import CALL_AGAIN, CallFact
from services.rebooking.tables import call_attempts, calls
from shared.events.envelope import Recorded
from shared.events.rebooking import CallClaimed, CallMade, CallNeeded
from shared.project import Change, Patch, Put, row_of

_Call = row_of(calls)
_Attempt = row_of(call_attempts)


def of_call(recorded: Recorded, event: CallFact) -> Iterable[Change]:
    key = {"outage": event.outage, "appointment": event.appointment}
    match event:
        case CallNeeded():
            yield Put(calls, _needed(recorded, event))
        case CallClaimed(claimed_by=claimed_by, until=until):
            yield Patch(calls, key, {"claimed_by": claimed_by, "claimed_until": until})
        case CallMade(outcome=outcome):
            yield Put(call_attempts, _attempt(recorded, event))
            state = "needed" if outcome in CALL_AGAIN else "made"
            yield Patch(calls, key, {"state": state, "claimed_by": "", "claimed_until": None})


def _needed(recorded: Recorded, event: CallNeeded) -> Struct:
    return _Call(
        outage=event.outage,
        appointment=event.appointment,
        practice=event.practice,
        patient=event.patient,
        reason=event.reason,
        needed_at=recorded.recorded_at,
        state="needed",
        claimed_by="",
        claimed_until=None,
    )


def _attempt(recorded: Recorded, event: CallMade) -> Struct:
    return _Attempt(
        outage=event.outage,
        practice=event.practice,
        version=recorded.version,
        appointment=event.appointment,
        made_at=recorded.occurred_at,
        outcome=event.outcome,
        made_by=event.made_by,
        note=event.note,
    )
