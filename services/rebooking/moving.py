"""The rules of the moves: booking is asked for them, and what it answers."""

from collections.abc import Sequence

from services.rebooking.calling import need_call
from services.rebooking.cases import Requested
from services.rebooking.commands import ConfirmMove, RefuseMove, RequestMoves
from services.rebooking.proposing import is_sought
from services.rebooking.recoveries import over
from services.rebooking.states import Approved, Recovery
from shared.events.rebooking import MoveConfirmed, MoveRefused, MoveRequested, RebookingEvent
from shared.ids import derived_id

_NO_MOBILE = "No mobile number to text: ring with the new time"


def request_moves(recovery: Recovery, command: RequestMoves) -> Sequence[RebookingEvent]:
    """Nobody is moved who has stopped waiting, or of whom something was noted, since the plan was made."""
    if not isinstance(recovery.plan, Approved) or recovery.plan.plan != command.plan:
        return []
    return [
        MoveRequested(
            outage=command.outage,
            practice=command.practice,
            move=derived_id("move", command.outage, command.plan, placement.appointment),
            appointment=placement.appointment,
            patient=placement.patient,
            from_session=placement.from_session,
            to_session=placement.to_session,
            to_slot=placement.to_slot,
            to_start=placement.to_start,
            standing=placement.standing,
            to_practice=placement.to_practice,
        )
        for placement in recovery.plan.placements
        if is_sought(recovery, placement)
    ]


def confirm(recovery: Recovery, command: ConfirmMove) -> Sequence[RebookingEvent]:
    match recovery.case(command.appointment):
        case (lost, Requested(patient=patient, move=command.move)):
            confirmed = MoveConfirmed(
                outage=command.outage,
                practice=command.practice,
                move=command.move,
                appointment=lost,
                patient=patient,
                to_appointment=command.to_appointment,
                to_start=command.to_start,
                answer_by=command.answer_by,
            )
            return [confirmed, *(() if command.textable else need_call(recovery, command, lost, _NO_MOBILE))]
        case _:
            return []


def refuse(recovery: Recovery, command: RefuseMove) -> Sequence[RebookingEvent]:
    """Nobody need telephone: the next plan tries again, or says why it cannot."""
    match recovery.case(command.appointment):
        case (lost, Requested(patient=patient, move=command.move, stands=stands)):
            refused = MoveRefused(
                outage=command.outage,
                practice=command.practice,
                move=command.move,
                appointment=lost,
                patient=patient,
                reason=command.reason,
                standing=stands.offer.appointment if stands else "",
            )
            return [refused] if command.over is None else [refused, over(command, lost, patient, command.over)]
        case _:
            return []
