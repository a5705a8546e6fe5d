"""What a patient can say to an offer, by text or by telephone: it suits, another time, or none. Said again, nothing."""

from collections.abc import Sequence

from services.rebooking.cases import Declined, Kept, Offered
from services.rebooking.commands import RecordAnswer, RecordCall
from shared.events.rebooking import OfferDeclined, OfferKept, RebookingEvent, Via, Wish


def keep(command: RecordAnswer | RecordCall, appointment: str, case: Offered) -> Sequence[RebookingEvent]:
    if isinstance(case, Kept):
        return []
    return [
        OfferKept(
            outage=command.outage,
            practice=command.practice,
            move=case.offer.move,
            appointment=appointment,
            patient=case.patient,
            via=_via(command),
        )
    ]


def decline(
    command: RecordAnswer | RecordCall, appointment: str, case: Offered, wish: Wish
) -> Sequence[RebookingEvent]:
    if isinstance(case, Declined) and case.wish == wish:
        return []
    return [
        OfferDeclined(
            outage=command.outage,
            practice=command.practice,
            move=case.offer.move,
            appointment=appointment,
            patient=case.patient,
            wish=wish,
            via=_via(command),
        )
    ]


def _via(command: RecordAnswer | RecordCall) -> Via:
    return "telephone" if isinstance(command, RecordCall) else "text"
