"""The rules of what a patient texts back about the new time, and of silence."""

from collections.abc import Mapping, Sequence
from typing import Literal

from services.rebooking.calling import need_call
from services.rebooking.cases import Declined, Kept, Moved, Offered, Requested
from services.rebooking.commands import LapseOffer, RecordAnswer
from services.rebooking.offers import decline, keep
from services.rebooking.states import Recovery
from shared.events.rebooking import OfferUnanswered, RebookingEvent

_TO_TELL: Mapping[Literal["stop", "wrong-number", "unclear"], str] = {
    "stop": "Wants no more texts: confirm the new time by telephone",
    "wrong-number": "The number is not this patient's: find the right one and tell them the new time",
    "unclear": "The patient's answer was not understood: read it and ring back",
}
_CANCELLED_BUT = "Cancelled the new time, then answered again: ask what is meant"
_NO_MORE_OFFERS = "Asks for another time again, after all the fresh offers there are: find one together"
_BEGUN = "Answered after the new appointment had begun: ask what is meant"
_EARLIER = "Answered an earlier text, about a time that has been changed since: ask what is meant"
_CHANGING = "Answered while the time was being changed: tell them the new one and ask"


def answer(recovery: Recovery, command: RecordAnswer) -> Sequence[RebookingEvent]:
    """What the patient's answer changes; the same answer again changes nothing."""
    if command.answer == "stop" or command.answer == "wrong-number":
        # They speak of the number, whichever text they answer.
        lost = recovery.known_as.get(command.move, "")
        return need_call(recovery, command, lost, _TO_TELL[command.answer])
    if command.answer == "start":
        return []
    match recovery.case(command.move):
        case (appointment, Requested(stands=stands)):
            return _while_moving(recovery, command, appointment, stands)
        case (appointment, case) if isinstance(case, Offered):
            return _to_offer(recovery, command, appointment, case)
        case _:
            return []


def _while_moving(
    recovery: Recovery, command: RecordAnswer, appointment: str, stands: Declined | None
) -> Sequence[RebookingEvent]:
    """The time that the answer is about gives way just now; whoever asked for that may well say so twice."""
    if stands and _is_said_already(command, stands):
        return []
    return need_call(recovery, command, appointment, _CHANGING)


def _to_offer(recovery: Recovery, command: RecordAnswer, appointment: str, case: Offered) -> Sequence[RebookingEvent]:
    if _is_said_already(command, case):
        return []
    if reason := _for_a_person(command, case):
        return need_call(recovery, command, appointment, reason)
    match command.answer:
        case "keep":
            return keep(command, appointment, case)
        case "cancel":
            return decline(command, appointment, case, "cancel")
        case _:
            declined = decline(command, appointment, case, "another-time")
            if case.offer.fresh < command.fresh_offers:
                return declined
            return [*declined, *need_call(recovery, command, appointment, _NO_MORE_OFFERS)]


def _is_said_already(command: RecordAnswer, case: Offered) -> bool:
    match command.answer, case:
        case "keep", Kept(offer=offer):
            return command.move == offer.move
        case ("another-time" | "cancel") as wish, Declined(offer=offer):
            return command.move == offer.move and wish == case.wish
        case _:
            return False


def _for_a_person(command: RecordAnswer, case: Offered) -> str:
    """Why the answer changes nothing by itself, if so."""
    if command.move != case.offer.move:
        return _EARLIER
    if command.answered_at >= case.offer.start:
        return _BEGUN
    if command.answer == "unclear":
        return _TO_TELL["unclear"]
    return _CANCELLED_BUT if isinstance(case, Declined) and case.wish == "cancel" else ""


def lapse(recovery: Recovery, command: LapseOffer) -> Sequence[RebookingEvent]:
    match recovery.case(command.move):
        case (appointment, Moved(patient=patient, offer=offer)) if offer.move == command.move:
            if offer.answer_by is None or command.now < offer.answer_by:
                return []
            return [
                OfferUnanswered(
                    outage=command.outage,
                    practice=command.practice,
                    move=command.move,
                    appointment=appointment,
                    patient=patient,
                )
            ]
        case _:
            return []
