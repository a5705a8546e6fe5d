"""Folds rebooking's own events into its tables: outages, recoveries, plans, moves, calls."""

from collections.abc import Iterable

import msgspec
from msgspec import Struct

from services.rebooking.call_rows import of_call
from services.rebooking.plan_rows import of_plan
from services.rebooking.tables import constraints, moves, outage_practices, outages, recoveries
from shared.events.envelope import Recorded
from shared.events.rebooking import (
    AppointmentReconciled,
    CallClaimed,
    CallMade,
    CallNeeded,
    CancellationRequested,
    ConstraintsNoted,
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
    PlanApproved,
    PlanExpired,
    PlanProposed,
    RebookingEvent,
)
from shared.project import Change, Patch, Put, row_of

_Outage = row_of(outages)
_OutagePractice = row_of(outage_practices)
_Recovery = row_of(recoveries)
_Constraints = row_of(constraints)
_Move = row_of(moves)

Answer = OfferKept | OfferDeclined | OfferUnanswered
CaseNews = MoveRequested | MoveConfirmed | MoveRefused | Answer


def project(recorded: Recorded) -> Iterable[Change]:
    """The changes of rows that one of our events leads to."""
    event: RebookingEvent = recorded.event
    match event:
        case OutageDeclared() | InflowChanged() | FollowUpSet() | OutageEnded():
            return _outage(recorded, event)
        case AppointmentReconciled():
            return (_reconciled(recorded, event),)
        case ConstraintsNoted():
            return (_noted(event),)
        case PlanProposed() | PlanApproved() | PlanExpired():
            return of_plan(recorded, event)
        case MoveRequested() | MoveConfirmed() | MoveRefused():
            return _moved(recorded, event)
        case OfferKept() | OfferDeclined() | OfferUnanswered():
            return _answered(event)
        case CallNeeded() | CallClaimed() | CallMade():
            return of_call(recorded, event)
        case CancellationRequested():
            return ()


def _outage(recorded: Recorded, event: OutageDeclared | InflowChanged | FollowUpSet | OutageEnded) -> Iterable[Change]:
    key = {"outage": event.outage}
    match event:
        case OutageDeclared():
            yield Put(outages, _declared(recorded, event))
            for practice in event.practices:
                yield Put(outage_practices, _OutagePractice(outage=event.outage, practice=practice))
        case InflowChanged(keeps_out=keeps_out):
            yield Patch(outages, key, {"keeps_out": list(keeps_out)})
        case FollowUpSet(automatic=automatic, said_by=said_by):
            yield Patch(outages, key, {"automatic": automatic, "automatic_by": said_by})
        case OutageEnded(ended_at=ended_at):
            yield Patch(outages, key, {"ended_at": ended_at})


def _declared(recorded: Recorded, event: OutageDeclared) -> Struct:
    return _Outage(
        outage=event.outage,
        name=event.name,
        practices=list(event.practices),
        started_at=event.started_at,
        ended_at=event.ended_at,
        declared_by=event.declared_by,
        declared_at=recorded.recorded_at,
        kind=event.kind,
        keeps_out=list(event.keeps_out),
        automatic=False,
        automatic_by="",
    )


def _reconciled(recorded: Recorded, event: AppointmentReconciled) -> Put:
    return Put(
        recoveries,
        _Recovery(
            outage=event.outage,
            appointment=event.appointment,
            practice=event.practice,
            patient=event.patient,
            outcome=event.outcome,
            evidence=event.evidence,
            happened_at=recorded.occurred_at,
            typed_at=recorded.recorded_at,
            typed_by=event.typed_by,
            state=event.outcome,
            wish="",
            standing="",
        ),
    )


def _noted(event: ConstraintsNoted) -> Put:
    return Put(
        constraints,
        _Constraints(
            outage=event.outage,
            appointment=event.appointment,
            practice=event.practice,
            constraints=msgspec.to_builtins(event.constraints),
            noted_by=event.noted_by,
        ),
    )


def _moved(recorded: Recorded, event: MoveRequested | MoveConfirmed | MoveRefused) -> Iterable[Change]:
    key = {"move": event.move}
    match event:
        case MoveRequested(standing=standing):
            yield Put(moves, _requested(recorded, event))
            if not standing:
                yield _state(event, "requested")
        case MoveConfirmed(to_appointment=to_appointment):
            confirmed = {"state": "confirmed", "to_appointment": to_appointment}
            when = {"confirmed_at": recorded.recorded_at, "answer_by": event.answer_by}
            yield Patch(moves, key, {**confirmed, **when})
            yield _state(event, "moved", standing=to_appointment)
        case MoveRefused(reason=reason, standing=standing):
            yield Patch(moves, key, {"state": "refused", "reason": reason})
            if not standing:
                yield _state(event, "refused")


def _state(event: CaseNews, state: str, **values: str) -> Patch:
    key = {"outage": event.outage, "appointment": event.appointment}
    return Patch(recoveries, key, {"state": state, "wish": "", **values})


def _requested(recorded: Recorded, event: MoveRequested) -> Struct:
    return _Move(
        move=event.move,
        outage=event.outage,
        practice=event.practice,
        appointment=event.appointment,
        to_session=event.to_session,
        to_slot=event.to_slot,
        to_start=event.to_start,
        requested_at=recorded.recorded_at,
        state="requested",
        to_appointment="",
        reason="",
        standing=event.standing,
        to_practice=event.to_practice,
        confirmed_at=None,
        answer_by=None,
        answer="",
    )


def _answered(event: Answer) -> Iterable[Change]:
    match event:
        case OfferKept():
            state, answer, wish = "kept", "kept", ""
        case OfferDeclined(wish=wish):
            state, answer = "declined", wish
        case OfferUnanswered():
            state, answer, wish = "unanswered", "unanswered", ""
    return (_state(event, state, wish=wish), Patch(moves, {"move": event.move}, {"answer": answer}))
