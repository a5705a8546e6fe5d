"""What happened in a recovery, in words: each of rebooking's events as it concerns one patient, who is not named."""

from collections.abc import Collection, Mapping
from typing import assert_never

from shared.events.booking import Inflow
from shared.events.rebooking import (
    AppointmentReconciled,
    CallClaimed,
    CallMade,
    CallNeeded,
    CancellationRequested,
    ConstraintsNoted,
    Evidence,
    FollowUpSet,
    InflowChanged,
    MoveConfirmed,
    MoveRefused,
    MoveRequested,
    OfferDeclined,
    OfferKept,
    OfferUnanswered,
    OutageDeclared,
    OutageEnded,
    Outcome,
    PlanApproved,
    PlanExpired,
    PlanProposed,
    RebookingEvent,
)
from shared.story import day_and_time

_OfOutage = OutageDeclared | InflowChanged | FollowUpSet | OutageEnded
_OfPlan = PlanProposed | PlanApproved | PlanExpired
_OfMove = MoveRequested | MoveConfirmed | MoveRefused
_OfAnswer = OfferKept | OfferDeclined | OfferUnanswered
_OfCall = CallNeeded | CallClaimed | CallMade

_OUTCOMES: Mapping[Outcome, str] = {
    "attended": "the patient had been seen",
    "missed": "the patient had not come",
    "cancelled": "cancelled",
    "elsewhere": "the patient had been seen by somebody else",
    "triage": "same-day demand, for a clinician to look at",
    "displaced": "lost, to be given another time",
    "rescheduled": "given another time otherwise",
}
_EVIDENCE: Mapping[Evidence, str] = {
    "paper": "as was written down on paper",
    "operator": "as an operator said",
    "rule": "by the rule for all the rest",
    "withdrawn": "because its session was withdrawn",
    "diary": "as the diary shows",
}
_CALLS: Mapping[str, str] = {
    "keeps": "keeps the new time",
    "another-time": "wants another time",
    "cancels": "needs no appointment",
    "settled": "settled otherwise",
    "no-answer": "no answer",
    "left-message": "left a message",
    "wrong-number": "a wrong number",
}
_WHO: Mapping[Inflow, str] = {"practice": "the practices", "nhs-111": "NHS 111", "public": "other organisations"}


def words(event: RebookingEvent, about: Collection[str], names: Mapping[str, str]) -> str:
    """The event as a sentence without its date, or nothing, if it is a plan that says nothing of these appointments.

    `names` are those of the practices and the outages, by code and id.
    """
    match event:
        case OutageDeclared() | InflowChanged() | FollowUpSet() | OutageEnded():
            return _of_outage(event, names)
        case PlanProposed() | PlanApproved() | PlanExpired():
            return _of_plan(event, about, names)
        case AppointmentReconciled(outcome=outcome, evidence=evidence, outage=outage):
            return f"in “{names.get(outage, outage)}”: {_OUTCOMES[outcome]}, {_EVIDENCE[evidence]}"
        case ConstraintsNoted(noted_by=noted_by):
            return f"when and how the patient can be seen was noted{_by(noted_by)}"
        case MoveRequested() | MoveConfirmed() | MoveRefused():
            return _of_move(event, names)
        case OfferKept() | OfferDeclined() | OfferUnanswered():
            return _of_answer(event)
        case CallNeeded() | CallClaimed() | CallMade():
            return _of_call(event)
        case CancellationRequested():
            return "the patient said it is not needed: booking is asked to cancel it"
        case _:
            assert_never(event)


def _of_outage(event: _OfOutage, names: Mapping[str, str]) -> str:
    match event:
        case OutageDeclared(kind="withdrawal"):
            return "a session was withdrawn that patients were booked in"
        case OutageDeclared(name=name, started_at=since, declared_by=by):
            return f"the outage “{name}” since {day_and_time(since)} was declared{_by(by)}"
        case InflowChanged(keeps_out=keeps_out):
            out = ", ".join(_WHO[each] for each in keeps_out)
            return f"during the outage new bookings are closed to {out or 'nobody'}"
        case FollowUpSet(automatic=automatic):
            asks = "without asking again" if automatic else "only after a yes to a plan"
            return f"capacity that appears later is given away {asks}"
        case OutageEnded(outage=outage, ended_at=ended_at):
            return f"the outage “{names.get(outage, outage)}” ended on {day_and_time(ended_at)}"
        case _:
            assert_never(event)


def _of_plan(event: _OfPlan, about: Collection[str], names: Mapping[str, str]) -> str:
    match event:
        case PlanProposed(placements=placements, unplaced=unplaced):
            for place in placements:
                if place.appointment in about:
                    at = f" at {_named(place.to_practice, names)}" if place.to_practice else ""
                    return f"a plan has a place on {day_and_time(place.to_start)}{at}"
            return next((f"a plan has no place: {each.reason}" for each in unplaced if each.appointment in about), "")
        case PlanApproved(approved_by=by):
            return f"the plan was approved{_by(by)}"
        case PlanExpired(reason=reason):
            return f"the plan no longer counts: {reason}"
        case _:
            assert_never(event)


def _of_move(event: _OfMove, names: Mapping[str, str]) -> str:
    match event:
        case MoveRequested(to_start=start, to_practice=elsewhere):
            at = f" at {_named(elsewhere, names)}" if elsewhere else ""
            return f"booking is asked to move it to {day_and_time(start)}{at}"
        case MoveConfirmed(to_start=start, answer_by=by):
            until = f"; the patient can answer until {day_and_time(by)}" if by else ""
            return f"the move to {day_and_time(start)} is made{until}"
        case MoveRefused(reason=reason):
            return f"the move could not be made: {reason}"
        case _:
            assert_never(event)


def _of_answer(event: _OfAnswer) -> str:
    match event:
        case OfferKept(via=via):
            return f"the new time suits, as the patient said by {via}"
        case OfferDeclined(wish="another-time", via=via):
            return f"the new time does not suit, as the patient said by {via}: another one is looked for"
        case OfferDeclined(via=via):
            return f"the new time does not suit, as the patient said by {via}: the appointment is not needed"
        case OfferUnanswered():
            return "no answer came in time: the new time stands"
        case _:
            assert_never(event)


def _of_call(event: _OfCall) -> str:
    match event:
        case CallNeeded(reason=reason):
            return f"somebody is to telephone: {reason}"
        case CallClaimed(claimed_by=by, until=until):
            return f"{by} takes the call on until {day_and_time(until)}"
        case CallMade(outcome=outcome, made_by=by):
            return f"{by} telephoned: {_CALLS.get(outcome, outcome)}"
        case _:
            assert_never(event)


def _named(practice: str, names: Mapping[str, str]) -> str:
    return names.get(practice) or practice


def _by(person: str) -> str:
    return f" by {person}" if person else ""
