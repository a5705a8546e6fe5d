"""Which rule decides which command, on which streams."""

from collections.abc import Mapping, Sequence

from services.rebooking.answers import answer, confirm, need_call, refuse
from services.rebooking.commands import (
    ApprovePlan,
    ConfirmMove,
    DeclareOutage,
    EndOutage,
    NeedCall,
    ProposePlan,
    RebookingCommand,
    ReconcileAppointments,
    RecordAnswer,
    RefuseMove,
    RequestMoves,
    StopWaiting,
    TakeUpDisplaced,
)
from services.rebooking.outages import declare, end, require_within, withdrawn
from services.rebooking.recoveries import approve, propose, reconcile, request_moves, stop_waiting, take_up
from services.rebooking.states import Nothing, Recovery, State, evolve
from shared.decider import Decider
from shared.events.rebooking import RebookingEvent

RecoveryCommand = (
    StopWaiting | ProposePlan | ApprovePlan | RequestMoves | ConfirmMove | RefuseMove | RecordAnswer | NeedCall
)


def outage_stream(outage: str) -> str:
    """The stream of the outage itself."""
    return f"outage/{outage}"


def recovery_stream(outage: str, practice: str) -> str:
    """The stream of one practice's way back."""
    return f"recovery/{outage}/{practice}"


def touches(command: RebookingCommand) -> Sequence[str]:
    """The streams whose state the command is decided on."""
    match command:
        case DeclareOutage(outage=outage) | EndOutage(outage=outage):
            return (outage_stream(outage),)
        case (
            TakeUpDisplaced(outage=outage, practice=practice) | ReconcileAppointments(outage=outage, practice=practice)
        ):
            return (outage_stream(outage), recovery_stream(outage, practice))
        case _:
            return (recovery_stream(command.outage, command.practice),)


def decide(states: Mapping[str, State], command: RebookingCommand) -> Sequence[RebookingEvent]:
    """The events that the command leads to, or `[]` where it is done already. Raises `Refusal`."""
    match command:
        case DeclareOutage():
            return declare(states[outage_stream(command.outage)], command)
        case EndOutage():
            return end(states[outage_stream(command.outage)], command)
        case TakeUpDisplaced(outage=outage, practice=practice):
            recovery = _recovery(states[recovery_stream(outage, practice)])
            return [*withdrawn(states[outage_stream(outage)], command), *take_up(recovery, command)]
        case ReconcileAppointments(outage=outage, practice=practice):
            require_within(states[outage_stream(outage)], practice)
            return reconcile(_recovery(states[recovery_stream(outage, practice)]), command)
        case _:
            return _decide_recovery(_recovery(states[recovery_stream(command.outage, command.practice)]), command)


def _decide_recovery(recovery: Recovery, command: RecoveryCommand) -> Sequence[RebookingEvent]:
    match command:
        case StopWaiting():
            return stop_waiting(recovery, command)
        case ProposePlan():
            return propose(recovery, command)
        case ApprovePlan():
            return approve(recovery, command)
        case RequestMoves():
            return request_moves(recovery, command)
        case ConfirmMove():
            return confirm(recovery, command)
        case RefuseMove():
            return refuse(recovery, command)
        case RecordAnswer():
            return answer(recovery, command)
        case NeedCall(appointment=appointment, reason=reason):
            return need_call(recovery, command, appointment, reason)


def _recovery(state: State) -> Recovery:
    return state if isinstance(state, Recovery) else Recovery()


rebooking: Decider[State, RebookingCommand, RebookingEvent] = Decider(Nothing(), touches, decide, evolve)
