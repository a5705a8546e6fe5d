"""The rules of the call list: who is to be telephoned and why, whose call it is, and what comes of it."""

from collections.abc import Sequence
from typing import Literal

from services.rebooking.cases import Case, Declined, Offered, Requested, Settled, Waiting
from services.rebooking.commands import ClaimCall, ConfirmMove, NeedCall, ProposePlan, RecordAnswer, RecordCall
from services.rebooking.offers import decline, keep
from services.rebooking.recoveries import over
from services.rebooking.states import Call, Recovery, names_now
from shared.clock import in_london
from shared.events.rebooking import CallClaimed, CallMade, CallNeeded, RebookingEvent
from shared.refusals import Conflict, NotFound

Answered = Literal["keeps", "another-time", "cancels", "settled"]
"""What may come of a call so that nobody need telephone again."""


def need_call(
    recovery: Recovery, command: ConfirmMove | ProposePlan | RecordAnswer | NeedCall, name: str, reason: str
) -> Sequence[RebookingEvent]:
    """One call settles everything with a patient, so a second reason before it is made adds none.

    Nobody telephones about an appointment that has given way to another since, or for a patient who needs nothing more.
    """
    found = recovery.case(name)
    if found is None or found[0] in recovery.calls or isinstance(found[1], Settled):
        return []
    appointment, case = found
    if name != appointment and name not in names_now(case):
        return []
    return [
        CallNeeded(
            outage=command.outage,
            practice=command.practice,
            appointment=appointment,
            patient=case.patient,
            reason=reason,
        )
    ]


def claim(recovery: Recovery, command: ClaimCall) -> Sequence[RebookingEvent]:
    """Whoever has the call may go on having it; from others it is kept until the claim ends."""
    case, call = _call(recovery, command)
    if call.claimed_by == command.claimed_by and call.until is not None and command.until <= call.until:
        return []
    return [
        CallClaimed(
            outage=command.outage,
            practice=command.practice,
            appointment=command.appointment,
            patient=case.patient,
            claimed_by=command.claimed_by,
            until=command.until,
        )
    ]


def record_call(recovery: Recovery, command: RecordCall) -> Sequence[RebookingEvent]:
    """The call, after what the patient said in it. Unreached, the patient stays on the list."""
    case, _ = _call(recovery, command)
    match command.outcome:
        case "no-answer" | "left-message" | "wrong-number":
            return [_made(command, case)]
        case answered:
            return [*_said(command, case, answered), _made(command, case)]


def _call(recovery: Recovery, command: ClaimCall | RecordCall) -> tuple[Case, Call]:
    """The case, and the call that it needs. Raises `Refusal` if there is none, or it is somebody else's."""
    case, call = recovery.cases.get(command.appointment), recovery.calls.get(command.appointment)
    if case is None:
        raise NotFound("This appointment is not in the recovery", code="unknown-appointment", where="appointment")
    if call is None or isinstance(case, Settled):
        raise Conflict(
            "Nobody need telephone this patient: it has been done, or the matter is over",
            code="no-call-needed",
            where="appointment",
        )
    who = command.claimed_by if isinstance(command, ClaimCall) else command.made_by
    if call.until is not None and call.is_claimed(command.now) and call.claimed_by != who:
        raise Conflict(
            f"{call.claimed_by} is telephoning this patient: the call is theirs until {in_london(call.until):%H:%M}",
            code="claimed",
            where="by",
        )
    return case, call


def _made(command: RecordCall, case: Case) -> CallMade:
    return CallMade(
        outage=command.outage,
        practice=command.practice,
        appointment=command.appointment,
        patient=case.patient,
        outcome=command.outcome,
        made_by=command.made_by,
        note=command.note,
    )


def _said(command: RecordCall, case: Case, outcome: Answered) -> Sequence[RebookingEvent]:
    match outcome, case:
        case _, Requested():
            raise Conflict(
                "Booking is just moving this patient: look at the new time, then write down what they say to it",
                code="move-under-way",
                where="outcome",
            )
        case "settled", _:
            return [over(command, command.appointment, case.patient, "rescheduled")]
        case "cancels", Waiting():
            return [over(command, command.appointment, case.patient, "cancelled")]
        case ("keeps" | "another-time" | "cancels") as to_offer, _ if isinstance(case, Offered):
            return _of_offer(command, case, to_offer)
        case _:
            raise Conflict(
                "This patient has no new time that they could keep or change: write down that they cancel, or that it "
                "is settled, once you have found them a time",
                code="no-new-time",
                where="outcome",
            )


def _of_offer(
    command: RecordCall, case: Offered, said: Literal["keeps", "another-time", "cancels"]
) -> Sequence[RebookingEvent]:
    if isinstance(case, Declined) and case.wish == "cancel" and said != "cancels":
        raise Conflict(
            "The new time was given up when the patient cancelled: book another, then write down that it is settled",
            code="given-up",
            where="outcome",
        )
    if said == "keeps":
        return keep(command, command.appointment, case)
    if case.offer.start <= command.now:
        raise Conflict(
            "The new time has begun: it can no longer be changed or cancelled. Book another if the patient needs one, "
            "then write down that it is settled",
            code="begun",
            where="outcome",
        )
    if said == "cancels":
        return decline(command, command.appointment, case, "cancel")
    if case.offer.fresh >= command.fresh_offers:
        raise Conflict(
            f"This patient has had all the fresh offers there are ({command.fresh_offers}): find a time together and "
            "book it, then write down that it is settled",
            code="no-more-offers",
            where="outcome",
        )
    return decline(command, command.appointment, case, "another-time")
