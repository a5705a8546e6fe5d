"""Folds rebooking's own events into its tables: outages, recoveries, plans, moves, calls."""

from collections.abc import Iterable

from services.rebooking.tables import (
    calls,
    moves,
    outage_practices,
    outages,
    placements,
    plans,
    recoveries,
    unplaced,
)
from shared.events.envelope import Recorded
from shared.events.rebooking import (
    AppointmentReconciled,
    CallMade,
    CallNeeded,
    MoveConfirmed,
    MoveRefused,
    MoveRequested,
    OfferDeclined,
    OfferKept,
    OutageDeclared,
    OutageEnded,
    Placement,
    PlanApproved,
    PlanExpired,
    PlanProposed,
    RebookingEvent,
    Unplaced,
)
from shared.project import Change, Patch, Put, Remove


def project(recorded: Recorded) -> Iterable[Change]:
    """The changes of rows that one of our events leads to."""
    event: RebookingEvent = recorded.event
    match event:
        case OutageDeclared():
            return _declared(recorded, event)
        case OutageEnded(outage=outage, ended_at=ended_at):
            return (Patch(outages, {"outage": outage}, {"ended_at": ended_at}),)
        case AppointmentReconciled():
            return (_reconciled(recorded, event),)
        case PlanProposed():
            return _proposed(recorded, event)
        case PlanApproved(approved_by=approved_by):
            approved = {"state": "approved", "approved_by": approved_by, "approved_at": recorded.recorded_at}
            return (Patch(plans, _plan_key(event), approved),)
        case PlanExpired():
            return (Patch(plans, _plan_key(event), {"state": "expired"}),)
        case MoveRequested():
            return (_requested(recorded, event), _state(event, "requested"))
        case MoveConfirmed(move=move, to_appointment=to_appointment):
            confirmed = {"state": "confirmed", "to_appointment": to_appointment}
            return (Patch(moves, {"move": move}, confirmed), _state(event, "moved"))
        case MoveRefused(move=move, reason=reason):
            return (Patch(moves, {"move": move}, {"state": "refused", "reason": reason}), _state(event, "refused"))
        case OfferKept():
            return (_state(event, "kept"),)
        case OfferDeclined(wish=wish):
            return (_state(event, "declined", wish=wish),)
        case CallNeeded():
            return (_call_needed(recorded, event),)
        case CallMade(outcome=result, made_by=made_by):
            return (Patch(calls, _case_key(event), {"state": "made", "result": result, "made_by": made_by}),)


CaseNews = MoveRequested | MoveConfirmed | MoveRefused | OfferKept | OfferDeclined | CallMade


def _case_key(event: CaseNews) -> dict[str, str]:
    return {"outage": event.outage, "appointment": event.appointment}


def _plan_key(event: PlanApproved | PlanExpired) -> dict[str, str]:
    return {"outage": event.outage, "practice": event.practice, "plan": event.plan}


def _state(event: CaseNews, state: str, wish: str = "") -> Patch:
    return Patch(recoveries, _case_key(event), {"state": state, "wish": wish})


def _declared(recorded: Recorded, event: OutageDeclared) -> Iterable[Change]:
    yield Put(
        outages,
        {
            "outage": event.outage,
            "name": event.name,
            "practices": list(event.practices),
            "started_at": event.started_at,
            "ended_at": event.ended_at,
            "declared_by": event.declared_by,
            "declared_at": recorded.recorded_at,
            "kind": event.kind,
        },
    )
    for practice in event.practices:
        yield Put(outage_practices, {"outage": event.outage, "practice": practice})


def _reconciled(recorded: Recorded, event: AppointmentReconciled) -> Put:
    return Put(
        recoveries,
        {
            "outage": event.outage,
            "appointment": event.appointment,
            "practice": event.practice,
            "patient": event.patient,
            "outcome": event.outcome,
            "evidence": event.evidence,
            "happened_at": recorded.occurred_at,
            "state": event.outcome,
            "wish": "",
        },
    )


def _proposed(recorded: Recorded, event: PlanProposed) -> Iterable[Change]:
    """A proposal speaks of everyone who waits at the practice, so it replaces what the former one said of each."""
    yield Put(
        plans,
        {
            "outage": event.outage,
            "practice": event.practice,
            "plan": event.plan,
            "part": event.part,
            "state": "proposed",
            "read_position": event.read_position,
            "proposed_at": recorded.recorded_at,
            "expires_at": event.expires_at,
            "approved_by": "",
            "approved_at": None,
        },
    )
    for placement in event.placements:
        key = {"outage": event.outage, "appointment": placement.appointment}
        yield Put(placements, _placed(event, placement))
        yield Remove(unplaced, key)
        yield Patch(recoveries, key, {"state": "planned"})
    for left in event.unplaced:
        key = {"outage": event.outage, "appointment": left.appointment}
        yield Put(unplaced, _left(event, left))
        yield Remove(placements, key)
        yield Patch(recoveries, key, {"state": "displaced"})


def _placed(event: PlanProposed, placement: Placement) -> dict[str, object]:
    return {
        "outage": event.outage,
        "appointment": placement.appointment,
        "practice": event.practice,
        "plan": event.plan,
        "from_session": placement.from_session,
        "to_session": placement.to_session,
        "to_slot": placement.to_slot,
        "to_start": placement.to_start,
        "minutes": placement.minutes,
        "priority": placement.priority,
    }


def _left(event: PlanProposed, left: Unplaced) -> dict[str, object]:
    return {
        "outage": event.outage,
        "appointment": left.appointment,
        "practice": event.practice,
        "plan": event.plan,
        "priority": left.priority,
        "reason": left.reason,
    }


def _requested(recorded: Recorded, event: MoveRequested) -> Put:
    return Put(
        moves,
        {
            "move": event.move,
            "outage": event.outage,
            "practice": event.practice,
            "appointment": event.appointment,
            "to_session": event.to_session,
            "to_slot": event.to_slot,
            "to_start": event.to_start,
            "requested_at": recorded.recorded_at,
            "state": "requested",
            "to_appointment": "",
            "reason": "",
        },
    )


def _call_needed(recorded: Recorded, event: CallNeeded) -> Put:
    return Put(
        calls,
        {
            "outage": event.outage,
            "appointment": event.appointment,
            "practice": event.practice,
            "patient": event.patient,
            "reason": event.reason,
            "needed_at": recorded.recorded_at,
            "state": "needed",
            "result": "",
            "made_by": "",
        },
    )
