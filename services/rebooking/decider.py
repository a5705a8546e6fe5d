"""Which rule decides which command, on which streams."""

from collections.abc import Mapping, Sequence

from services.rebooking.answers import answer, lapse
from services.rebooking.calling import claim, need_call, record_call
from services.rebooking.commands import (
    ApprovePlan,
    ChangeInflow,
    ClaimCall,
    ConfirmMove,
    DeclareOutage,
    EndOutage,
    ExpirePlan,
    LapseOffer,
    NeedCall,
    NoteConstraints,
    ProposePlan,
    RebookingCommand,
    ReconcileAppointments,
    RecordAnswer,
    RecordCall,
    RefuseMove,
    RequestCancellation,
    RequestMoves,
    SetFollowUp,
    StopWaiting,
    TakeUpDisplaced,
)
from services.rebooking.moving import confirm, refuse, request_moves
from services.rebooking.outages import change_inflow, declare, end, require_within, set_follow_up, withdrawn
from services.rebooking.proposing import approve, expire, propose
from services.rebooking.recoveries import note_constraints, reconcile, stop_waiting, take_up
from services.rebooking.states import CancellationAsked, Nothing, Recovery, State, evolve
from shared.decider import Decider
from shared.events.rebooking import CancellationRequested, RebookingEvent

OutageCommand = DeclareOutage | ChangeInflow | SetFollowUp | EndOutage

RecoveryCommand = (
    NoteConstraints
    | StopWaiting
    | ProposePlan
    | ExpirePlan
    | ApprovePlan
    | RequestMoves
    | ConfirmMove
    | RefuseMove
    | RecordAnswer
    | LapseOffer
    | NeedCall
    | ClaimCall
    | RecordCall
)


def outage_stream(outage: str) -> str:
    """The stream of the outage itself."""
    return f"outage/{outage}"


def recovery_stream(outage: str, practice: str) -> str:
    """The stream of one practice's way back."""
    return f"recovery/{outage}/{practice}"


def cancellation_stream(appointment: str) -> str:
    """The stream of a wish to cancel that no recovery is about."""
    return f"cancellation/{appointment}"


def touches(command: RebookingCommand) -> Sequence[str]:
    """The streams whose state the command is decided on."""
    match command:
        case DeclareOutage() | ChangeInflow() | SetFollowUp() | EndOutage():
            return (outage_stream(command.outage),)
        case RequestCancellation(appointment=appointment):
            return (cancellation_stream(appointment),)
        case (
            TakeUpDisplaced(outage=outage, practice=practice) | ReconcileAppointments(outage=outage, practice=practice)
        ):
            return (outage_stream(outage), recovery_stream(outage, practice))
        case _:
            return (recovery_stream(command.outage, command.practice),)


def decide(states: Mapping[str, State], command: RebookingCommand) -> Sequence[RebookingEvent]:
    """The events that the command leads to, or `[]` where it is done already. Raises `Refusal`."""
    match command:
        case DeclareOutage() | ChangeInflow() | SetFollowUp() | EndOutage():
            return _decide_outage(states[outage_stream(command.outage)], command)
        case RequestCancellation(appointment=appointment, practice=practice):
            asked = isinstance(states[cancellation_stream(appointment)], CancellationAsked)
            return [] if asked else [CancellationRequested(appointment=appointment, practice=practice)]
        case TakeUpDisplaced(outage=outage, practice=practice):
            recovery = _recovery(states[recovery_stream(outage, practice)])
            return [*withdrawn(states[outage_stream(outage)], command), *take_up(recovery, command)]
        case ReconcileAppointments(outage=outage, practice=practice):
            require_within(states[outage_stream(outage)], practice)
            return reconcile(_recovery(states[recovery_stream(outage, practice)]), command)
        case _:
            return _decide_recovery(_recovery(states[recovery_stream(command.outage, command.practice)]), command)


def _decide_outage(state: State, command: OutageCommand) -> Sequence[RebookingEvent]:
    match command:
        case DeclareOutage():
            return declare(state, command)
        case ChangeInflow():
            return change_inflow(state, command)
        case SetFollowUp():
            return set_follow_up(state, command)
        case EndOutage():
            return end(state, command)


def _decide_recovery(recovery: Recovery, command: RecoveryCommand) -> Sequence[RebookingEvent]:
    match command:
        case NoteConstraints():
            return note_constraints(recovery, command)
        case StopWaiting():
            return stop_waiting(recovery, command)
        case ProposePlan():
            return propose(recovery, command)
        case ExpirePlan():
            return expire(recovery, command)
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
        case LapseOffer():
            return lapse(recovery, command)
        case NeedCall(appointment=appointment, reason=reason):
            return need_call(recovery, command, appointment, reason)
        case ClaimCall():
            return claim(recovery, command)
        case RecordCall():
            return record_call(recovery, command)


def _recovery(state: State) -> Recovery:
    return state if isinstance(state, Recovery) else Recovery()


rebooking: Decider[State, RebookingCommand, RebookingEvent] = Decider(Nothing(), touches, decide, evolve)
