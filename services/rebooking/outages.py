"""The rules of an outage: when it may be declared, and when it is over."""

from collections.abc import Sequence

from services.rebooking.commands import DeclareOutage, EndOutage
from services.rebooking.states import EndedOutage, Nothing, OpenOutage, State
from shared.events.rebooking import OutageDeclared, OutageEnded, RebookingEvent
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
        case _:
            raise _no_outage()


def _require_order(in_order: bool) -> None:
    if not in_order:
        raise Refusal("The outage would end before it started", code="ends-before-start", where="ended_at")


def require_within(state: State, practice: str) -> None:
    if not isinstance(state, OpenOutage | EndedOutage):
        raise _no_outage()
    if practice not in state.practices:
        raise Refusal(f"{practice} is not a practice of this outage", code="unknown-practice", where="practice")


def _no_outage() -> Refusal:
    return NotFound("There is no such outage", code="unknown-outage", where="outage")
