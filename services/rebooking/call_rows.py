"""Folds the call list into rows: whom to telephone, whose call it is, and every try."""

from collections.abc import Iterable

from services.rebooking.states import CALL_AGAIN, CallFact
from services.rebooking.tables import call_attempts, calls
from shared.events.envelope import Recorded
from shared.events.rebooking import CallClaimed, CallMade, CallNeeded
from shared.project import Change, Patch, Put

_UNCLAIMED = {"claimed_by": "", "claimed_until": None}


def of_call(recorded: Recorded, event: CallFact) -> Iterable[Change]:
    key = {"outage": event.outage, "appointment": event.appointment}
    match event:
        case CallNeeded():
            yield Put(calls, _needed(recorded, event))
        case CallClaimed(claimed_by=claimed_by, until=until):
            yield Patch(calls, key, {"claimed_by": claimed_by, "claimed_until": until})
        case CallMade(outcome=outcome):
            yield Put(call_attempts, _attempt(recorded, event))
            yield Patch(calls, key, {"state": "needed" if outcome in CALL_AGAIN else "made", **_UNCLAIMED})


def _needed(recorded: Recorded, event: CallNeeded) -> dict[str, object]:
    return {
        "outage": event.outage,
        "appointment": event.appointment,
        "practice": event.practice,
        "patient": event.patient,
        "reason": event.reason,
        "needed_at": recorded.recorded_at,
        "state": "needed",
        **_UNCLAIMED,
    }


def _attempt(recorded: Recorded, event: CallMade) -> dict[str, object]:
    return {
        "outage": event.outage,
        "practice": event.practice,
        "version": recorded.version,
        "appointment": event.appointment,
        "made_at": recorded.occurred_at,
        "outcome": event.outcome,
        "made_by": event.made_by,
        "note": event.note,
    }
