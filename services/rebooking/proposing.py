"""The rules of a plan: proposed for those who seek a place, and approved in time or not at all."""

from collections.abc import Iterator, Sequence

from services.rebooking.calling import need_call
from services.rebooking.cases import seeks
from services.rebooking.commands import ApprovePlan, ExpirePlan, ProposePlan
from services.rebooking.states import Approved, CarriedOut, Proposed, Recovery
from shared.events.rebooking import (
    Placement,
    PlanApproved,
    PlanExpired,
    PlanProposed,
    RebookingEvent,
    Unplaced,
)
from shared.refusals import Conflict

_NOTHING_FRESH = "Asks for another time, and no free slot differs in day and half of the day"


def propose(recovery: Recovery, command: ProposePlan) -> Sequence[RebookingEvent]:
    """A plan in place of the last; whoever asked for another time, and can have none, is to be telephoned."""
    if isinstance(recovery.plan, Approved) and any(is_sought(recovery, each) for each in recovery.plan.placements):
        raise Conflict(
            f"An approved plan of {command.practice} is just being carried out: propose again when it is done",
            code="plan-under-way",
            where=command.practice,
        )
    named: tuple[Placement | Unplaced, ...] = (*command.placements, *command.unplaced)
    if not all(is_sought(recovery, each) for each in named):
        raise Conflict(
            f"While this plan was made, some patients of {command.practice} stopped waiting: propose again",
            code="stale-plan",
            where=command.practice,
        )
    return [*_superseded(recovery, command), _proposed(command), *_calls(recovery, command)]


def is_sought(recovery: Recovery, named: Placement | Unplaced) -> bool:
    """Whether a place is still to be found for this patient, and the same appointment would give way to it."""
    return seeks(recovery.cases.get(named.appointment), named.standing)


def _proposed(command: ProposePlan) -> PlanProposed:
    return PlanProposed(
        outage=command.outage,
        practice=command.practice,
        plan=command.plan,
        part=command.part,
        read_position=command.read_position,
        expires_at=command.expires_at,
        placements=command.placements,
        unplaced=command.unplaced,
        follow_up=command.follow_up,
    )


def _superseded(recovery: Recovery, command: ProposePlan) -> Iterator[PlanExpired]:
    match recovery.plan:
        case Proposed(plan=former, part=part) if former != command.plan:
            yield _expired(command, former, part, "A newer plan took its place")


def _expired(command: ProposePlan | ExpirePlan, plan: str, part: str, reason: str) -> PlanExpired:
    return PlanExpired(outage=command.outage, practice=command.practice, plan=plan, part=part, reason=reason)


def _calls(recovery: Recovery, command: ProposePlan) -> Iterator[RebookingEvent]:
    for left in command.unplaced:
        if left.standing:
            yield from need_call(recovery, command, left.appointment, _NOTHING_FRESH)


def expire(recovery: Recovery, command: ExpirePlan) -> Sequence[RebookingEvent]:
    match recovery.plan:
        case Proposed(plan=command.plan, part=part, expires_at=expires_at) if expires_at <= command.now:
            return [_expired(command, command.plan, part, "It was not approved in time")]
        case _:
            return []


def approve(recovery: Recovery, command: ApprovePlan) -> Sequence[RebookingEvent]:
    match recovery.plan:
        case Proposed(plan=command.plan, part=command.part, expires_at=expires_at):
            if expires_at <= command.now:
                raise Conflict(
                    "This plan has expired, since the diary goes on changing: propose a new one",
                    code="plan-expired",
                    where="hash",
                )
            return [
                PlanApproved(
                    outage=command.outage,
                    practice=command.practice,
                    plan=command.plan,
                    part=command.part,
                    approved_by=command.approved_by,
                )
            ]
        case Approved(plan=command.plan, part=command.part) | CarriedOut(plan=command.plan, part=command.part):
            raise Conflict("This plan has been approved already", code="already-approved", where="hash")
        case _:
            raise Conflict(
                f"This plan of {command.practice} has expired, or a newer one has taken its place",
                code="stale-plan",
                where="hash",
            )
