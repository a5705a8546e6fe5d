"""The rules of an outage: when it may be declared, whom it keeps out, when it is over; how a withdrawal becomes one."""

from collections.abc import Sequence

from services.rebooking.commands import ChangeInflow, DeclareOutage, EndOutage, SetFollowUp, TakeUpDisplaced
from services.rebooking.states import EndedOutage, Nothing, OpenOutage, State, Withdrawal
from shared.events.booking import ALL_INFLOW, Inflow
from shared.events.rebooking import FollowUpSet, InflowChanged, OutageDeclared, OutageEnded, RebookingEvent
from shared.refusals import Conflict, NotFound, Refusal


def declare(state: State, command: DeclareOutage) -> Sequence[RebookingEvent]:
    if not isinstance(state, Nothing):
        return []
    if not command.practices:
        raise Refusal("An outage needs at least one practice", code="no-practices", where="practices")
    if command.started_at > command.now:
        raise Refusal("An outage cannot start in the future", code="starts-in-future", where="started_at")
    _require_order(command.started_at < command.ended_at if command.ended_at else True)
    return [
        OutageDeclared(
            outage=command.outage,
            name=command.name,
            practices=command.practices,
            started_at=command.started_at,
            ended_at=command.ended_at,
            declared_by=command.declared_by,
            keeps_out=_in_order(command.keeps_out),
        )
    ]


def _in_order(keeps_out: Sequence[Inflow]) -> tuple[Inflow, ...]:
    """Each once, so that the same said in other words is the same."""
    return tuple(each for each in ALL_INFLOW if each in keeps_out)


def withdrawn(state: State, command: TakeUpDisplaced) -> Sequence[RebookingEvent]:
    """The first patient who is displaced makes the withdrawal known; for the others it is so already."""
    if not isinstance(state, Nothing):
        return []
    return [
        OutageDeclared(
            outage=command.outage,
            name=command.name,
            practices=(command.practice,),
            started_at=command.withdrawn_at,
            ended_at=command.withdrawn_at,
            kind="withdrawal",
        )
    ]


def end(state: State, command: EndOutage) -> Sequence[RebookingEvent]:
    match state:
        case OpenOutage(practices=practices, started_at=started_at):
            _require_order(started_at < command.ended_at)
            if command.ended_at > command.now:
                raise Refusal("The end is still to come: say it when the systems are back", code="ends-in-future",
                              where="ended_at")  # fmt: skip
            return [OutageEnded(outage=command.outage, practices=practices, ended_at=command.ended_at)]
        case EndedOutage(ended_at=ended_at):
            if ended_at == command.ended_at:
                return []
            raise Conflict("This outage has ended already", code="already-ended", where="ended_at")
        case Withdrawal():
            raise _no_outage_but_withdrawal("it has no end to wait for")
        case _:
            raise _no_outage()


def change_inflow(state: State, command: ChangeInflow) -> Sequence[RebookingEvent]:
    keeps_out = _in_order(command.keeps_out)
    match state:
        case OpenOutage(keeps_out=before) if before == keeps_out:
            return []
        case OpenOutage(practices=practices):
            return [
                InflowChanged(outage=command.outage, practices=practices, keeps_out=keeps_out, said_by=command.said_by)
            ]
        case EndedOutage():
            raise Conflict(
                "This outage has ended, and its practices take bookings from everybody again",
                code="already-ended",
                where="outage",
            )
        case Withdrawal():
            raise _no_outage_but_withdrawal("nobody is kept out")
        case _:
            raise _no_outage()


def set_follow_up(state: State, command: SetFollowUp) -> Sequence[RebookingEvent]:
    if not isinstance(state, OpenOutage | EndedOutage | Withdrawal):
        raise _no_outage()
    if state.automatic == command.automatic:
        return []
    return [FollowUpSet(outage=command.outage, automatic=command.automatic, said_by=command.said_by)]


def _require_order(in_order: bool) -> None:
    if not in_order:
        raise Refusal("The outage would end before it started", code="ends-before-start", where="ended_at")


def require_within(state: State, practice: str) -> None:
    """Raises `Refusal` if the practice has nothing to reconcile in this outage."""
    if isinstance(state, Withdrawal):
        raise nothing_to_reconcile()
    if not isinstance(state, OpenOutage | EndedOutage):
        raise _no_outage()
    if practice not in state.practices:
        raise Refusal(f"{practice} is not a practice of this outage", code="unknown-practice", where="practice")


def nothing_to_reconcile() -> Conflict:
    return Conflict(
        "There is nothing to reconcile after a withdrawal: whoever had a place in the session is known and displaced. "
        "If one of them needs no other time, cancel or reschedule that appointment in the diary",
        code="nothing-to-reconcile",
        where="outage",
    )


def _no_outage_but_withdrawal(so: str) -> Conflict:
    return Conflict(
        f"This is a session that its practice withdrew, not an outage: {so}", code="not-an-outage", where="outage"
    )


def _no_outage() -> Refusal:
    return NotFound("There is no such outage", code="unknown-outage", where="outage")
