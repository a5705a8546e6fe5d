"""Folds plans into rows: what lies before the operator, who has which place in it, and who has none."""

from collections.abc import Iterable

from msgspec import Struct

from services.rebooking.states import PlanFact
from services.rebooking.tables import placements, plans, recoveries, unplaced
from shared.events.envelope import Recorded
from shared.events.rebooking import Placement, PlanApproved, PlanExpired, PlanProposed, Unplaced
from shared.project import Change, Patch, Put, Remove, row_of

_Plan = row_of(plans)
_Placement = row_of(placements)
_Unplaced = row_of(unplaced)


def of_plan(recorded: Recorded, event: PlanFact) -> Iterable[Change]:
    match event:
        case PlanProposed():
            yield Put(plans, _plan(recorded, event))
            yield from _places(event)
        case PlanApproved(approved_by=approved_by):
            approved = {"state": "approved", "approved_by": approved_by, "approved_at": recorded.recorded_at}
            yield Patch(plans, _key(event), approved)
        case PlanExpired():
            yield Patch(plans, _key(event), {"state": "expired"})


def _key(event: PlanFact) -> dict[str, str]:
    return {"outage": event.outage, "practice": event.practice, "plan": event.plan}


def _plan(recorded: Recorded, event: PlanProposed) -> Struct:
    return _Plan(
        outage=event.outage,
        practice=event.practice,
        plan=event.plan,
        part=event.part,
        state="proposed",
        read_position=event.read_position,
        proposed_at=recorded.recorded_at,
        expires_at=event.expires_at,
        approved_by="",
        approved_at=None,
        follow_up=event.follow_up,
    )


def _places(event: PlanProposed) -> Iterable[Change]:
    """A proposal speaks of everyone who waits at the practice, so it replaces what the former one said of each.

    Whoever has a new appointment already, and asked for another, has declined until there is another.
    """
    for placement in event.placements:
        key = {"outage": event.outage, "appointment": placement.appointment}
        yield Put(placements, _placed(event, placement))
        yield Remove(unplaced, key)
        if not placement.standing:
            yield Patch(recoveries, key, {"state": "planned"})
    for left in event.unplaced:
        key = {"outage": event.outage, "appointment": left.appointment}
        yield Put(unplaced, _left(event, left))
        yield Remove(placements, key)
        if not left.standing:
            yield Patch(recoveries, key, {"state": "displaced"})


def _placed(event: PlanProposed, placement: Placement) -> Struct:
    return _Placement(
        outage=event.outage,
        appointment=placement.appointment,
        practice=event.practice,
        plan=event.plan,
        from_session=placement.from_session,
        to_session=placement.to_session,
        to_slot=placement.to_slot,
        to_start=placement.to_start,
        minutes=placement.minutes,
        priority=placement.priority,
        standing=placement.standing,
        to_practice=placement.to_practice,
    )


def _left(event: PlanProposed, left: Unplaced) -> Struct:
    return _Unplaced(
        outage=event.outage,
        appointment=left.appointment,
        practice=event.practice,
        plan=event.plan,
        priority=left.priority,
        reason=left.reason,
    )
