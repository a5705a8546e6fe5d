"""The rules of what comes back: booking's answer to a move, the patient's to the offer, and when to telephone."""

from collections.abc import Mapping, Sequence
from typing import Literal

from services.rebooking.commands import ConfirmMove, NeedCall, RecordAnswer, RefuseMove
from services.rebooking.recoveries import over
from services.rebooking.states import Declined, Kept, Moved, Recovery, Requested
from shared.events.rebooking import (
    CallNeeded,
    MoveConfirmed,
    MoveRefused,
    OfferDeclined,
    OfferKept,
    RebookingEvent,
    Wish,
)

_NO_MOBILE = "No mobile number to text: ring with the new time"
_CANCELLED_BUT = "Cancelled the new time, then answered again: ask what is meant"

_TO_TELL: Mapping[Literal["stop", "wrong-number", "unclear"], str] = {
    "stop": "Wants no more texts: confirm the new time by telephone",
    "wrong-number": "The number is not this patient's: find the right one and tell them the new time",
    "unclear": "The patient's answer was not understood: read it and ring back",
}


def confirm(recovery: Recovery, command: ConfirmMove) -> Sequence[RebookingEvent]:
    match recovery.cases.get(command.appointment):
        case Requested(patient=patient, move=command.move):
            confirmed = MoveConfirmed(
                outage=command.outage,
                practice=command.practice,
                move=command.move,
                appointment=command.appointment,
                patient=patient,
                to_appointment=command.to_appointment,
                to_start=command.to_start,
            )
            if command.textable:
                return [confirmed]
            return [confirmed, *need_call(recovery, command, command.appointment, _NO_MOBILE)]
        case _:
            return []


def refuse(recovery: Recovery, command: RefuseMove) -> Sequence[RebookingEvent]:
    match recovery.cases.get(command.appointment):
        case Requested(patient=patient, move=command.move):
            refused = MoveRefused(
                outage=command.outage,
                practice=command.practice,
                move=command.move,
                appointment=command.appointment,
                patient=patient,
                reason=command.reason,
            )
            if command.over is not None:
                return [refused, over(command, patient, command.over)]
            return [
                refused,
                *need_call(recovery, command, command.appointment, f"Could not be moved: {command.reason}"),
            ]
        case _:
            return []


def answer(recovery: Recovery, command: RecordAnswer) -> Sequence[RebookingEvent]:
    """What the patient's answer changes; the same answer again changes nothing."""
    found = recovery.case(command.move)
    match found:
        case (appointment, Requested() | Moved() | Kept() | Declined() as case) if case.move == command.move:
            return _answered(recovery, command, appointment, case)
        case _:
            return []


def _answered(
    recovery: Recovery, command: RecordAnswer, appointment: str, case: Requested | Moved | Kept | Declined
) -> Sequence[RebookingEvent]:
    match command.answer, case:
        case ("keep", Kept()) | ("another-time", Declined(wish="another-time")) | ("cancel", Declined(wish="cancel")):
            return []
        case _, Declined(wish="cancel"):
            return need_call(recovery, command, appointment, _CANCELLED_BUT)
        case "keep", _:
            return [
                OfferKept(
                    outage=command.outage,
                    practice=command.practice,
                    move=command.move,
                    appointment=appointment,
                    patient=case.patient,
                )
            ]
        case "another-time", _:
            declined = _declined(command, appointment, case, "another-time")
            return [declined, *need_call(recovery, command, appointment, "Asks for another time")]
        case "cancel", _:
            return [_declined(command, appointment, case, "cancel")]
        case ("stop" | "wrong-number" | "unclear") as answer, _:
            return need_call(recovery, command, appointment, _TO_TELL[answer])


def _declined(
    command: RecordAnswer, appointment: str, case: Requested | Moved | Kept | Declined, wish: Wish
) -> OfferDeclined:
    return OfferDeclined(
        outage=command.outage,
        practice=command.practice,
        move=command.move,
        appointment=appointment,
        patient=case.patient,
        wish=wish,
    )


def need_call(
    recovery: Recovery, command: ConfirmMove | RefuseMove | RecordAnswer | NeedCall, name: str, reason: str
) -> Sequence[RebookingEvent]:
    """One call settles everything with a patient, so a second reason before it is made adds none."""
    found = recovery.case(name)
    if found is None or found[0] in recovery.to_call:
        return []
    appointment, case = found
    return [
        CallNeeded(
            outage=command.outage,
            practice=command.practice,
            appointment=appointment,
            patient=case.patient,
            reason=reason,
        )
    ]
