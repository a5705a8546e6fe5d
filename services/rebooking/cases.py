"""One patient's case: from a lost appointment to a new one that suits, as far as the rules need to remember it."""

from datetime import datetime

from msgspec import Struct

from shared.events.rebooking import (
    AppointmentReconciled,
    Evidence,
    MoveConfirmed,
    MoveRefused,
    MoveRequested,
    OfferDeclined,
    OfferKept,
    OfferUnanswered,
    Outcome,
    Wish,
)

CaseFact = (
    AppointmentReconciled | MoveRequested | MoveConfirmed | MoveRefused | OfferKept | OfferDeclined | OfferUnanswered
)
"""The events that change one patient's case."""


class Offer(Struct, frozen=True, gc=False):
    """The new appointment as the patient was told of it. `fresh` counts the fresh offers made, with this one."""

    move: str
    appointment: str
    start: datetime
    answer_by: datetime | None
    fresh: int


class Settled(Struct, frozen=True, gc=False):
    """The appointment needs no rebooking: the patient came, did not come, cancelled, or is seen to otherwise."""

    patient: str
    outcome: Outcome
    evidence: Evidence


class Waiting(Struct, frozen=True, gc=False):
    """Displaced, and without a place so far."""

    patient: str
    evidence: Evidence


class Moved(Struct, frozen=True, gc=False):
    """Moved; the patient has not answered."""

    patient: str
    offer: Offer


class Kept(Struct, frozen=True, gc=False):
    """Moved, and it suits."""

    patient: str
    offer: Offer


class Unanswered(Struct, frozen=True, gc=False):
    """Moved, and the time to answer is over. The appointment stands."""

    patient: str
    offer: Offer


class Declined(Struct, frozen=True, gc=False):
    """Moved, and it does not suit. Whoever wishes another time keeps this one until there is another."""

    patient: str
    offer: Offer
    wish: Wish


class Requested(Struct, frozen=True, gc=False):
    """Booking has been asked for this move and has not answered. `stands` is what the patient has meanwhile, if any."""

    patient: str
    evidence: Evidence
    move: str
    stands: Declined | None = None


Offered = Moved | Kept | Unanswered | Declined
"""The patient has been given a new appointment."""

Case = Settled | Waiting | Requested | Offered


def case_after(before: Case | None, event: CaseFact) -> Case | None:
    """What the event makes of the case."""
    match event:
        case AppointmentReconciled(patient=patient, outcome="displaced", evidence=evidence):
            return Waiting(patient, evidence)
        case AppointmentReconciled(patient=patient, outcome=outcome, evidence=evidence):
            return Settled(patient, outcome, evidence)
        case MoveRequested(patient=patient, move=move):
            return Requested(patient, _evidence(before), move, before if isinstance(before, Declined) else None)
        case MoveRefused(patient=patient):
            stands = before.stands if isinstance(before, Requested) else None
            return stands or Waiting(patient, _evidence(before))
        case MoveConfirmed(patient=patient):
            return Moved(patient, _offer(before, event))
        case OfferKept() | OfferDeclined() | OfferUnanswered():
            return _answered(before, event)


def _answered(before: Case | None, event: OfferKept | OfferDeclined | OfferUnanswered) -> Case | None:
    if not isinstance(before, Offered):
        return before
    match event:
        case OfferKept():
            return Kept(before.patient, before.offer)
        case OfferDeclined(wish=wish):
            return Declined(before.patient, before.offer, wish)
        case OfferUnanswered():
            return Unanswered(before.patient, before.offer)


def _offer(before: Case | None, event: MoveConfirmed) -> Offer:
    stood = before.stands if isinstance(before, Requested) else None
    fresh = stood.offer.fresh + 1 if stood else 0
    return Offer(event.move, event.to_appointment, event.to_start, event.answer_by, fresh)


def _evidence(before: Case | None) -> Evidence:
    """How it was known to be displaced."""
    return before.evidence if isinstance(before, Waiting | Requested) else "rule"


def seeks(case: Case | None, standing: str = "") -> bool:
    """Whether the patient is to be given a place: in place of the `standing` appointment, or of the lost one."""
    match case:
        case Waiting():
            return not standing
        case Declined(wish="another-time", offer=offer):
            return offer.appointment == standing
        case _:
            return False
