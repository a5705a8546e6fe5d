"""Why somebody can, or cannot, see and have a slot: one verdict, a sentence, and the facts it rests on.

Practices cannot see their diary as others see it; this is what the NHS's Appointment Checker is asked (available, not
released, embargoed, all booked).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Literal

from services.booking import keeping
from services.booking.commands import Asker
from services.booking.session_views import SlotFacts
from shared.clock import LONDON, london_date
from shared.events.booking import Opening

Verdict = keeping.Verdict | Literal["withdrawn", "taken", "held", "frozen"]
"""Of several reasons against having the slot, the first; `available` if there is none."""

SENTENCES: Mapping[Verdict, str] = {
    **dict(keeping.SENTENCES.items()),
    "withdrawn": "The slot has been withdrawn from the diary",
    "taken": "Somebody has an appointment in the slot",
    "held": "Somebody is about to book the slot and holds it for a few minutes",
    "frozen": "The practice takes no new appointments from this organisation while its systems are down",
}


@dataclass(frozen=True, slots=True)
class Explained:
    """The verdict, and how it came about.

    `visible`: a search shows the slot to the asker, be it as free or as busy. `opening_of`: who said the opening that
    counts. `released` and `closes` are the instants from and to which the asker may have the slot: None where nothing
    but the verdict limits it.
    """

    verdict: Verdict
    visible: bool
    opening: Opening
    opening_of: Literal["session", "practice", "nobody"]
    released: datetime | None
    closes: datetime


def explain(slot: SlotFacts, asker: Asker, now: datetime) -> Explained:
    """How the asker stands to the slot now."""
    opening = slot.openings.effective
    may = keeping.verdict(asker, slot.kept_for, slot.start, opening, now)
    return Explained(
        verdict=_verdict(slot, asker, may, now),
        visible=not slot.withdrawn and (asker.standing == "practice" or may == "available"),
        opening=opening,
        opening_of=_said_by(slot),
        released=_released(slot, asker, opening),
        closes=slot.start - timedelta(minutes=opening.closes_minutes if _by_opening(slot, asker) else 0),
    )


def _verdict(slot: SlotFacts, asker: Asker, may: keeping.Verdict, now: datetime) -> Verdict:
    if slot.withdrawn:
        return "withdrawn"
    if may != "available":
        return may
    if slot.taken and slot.taken_until is None:
        return "taken"
    if slot.taken_until is not None and slot.taken_until > now:
        return "held"
    return "frozen" if asker.standing in slot.kept_out else "available"


def _said_by(slot: SlotFacts) -> Literal["session", "practice", "nobody"]:
    if slot.openings.session is not None:
        return "session"
    return "nobody" if slot.openings.practice is None else "practice"


def _by_opening(slot: SlotFacts, asker: Asker) -> bool:
    return asker.standing != "practice" and slot.kept_for == "anyone"


def _released(slot: SlotFacts, asker: Asker, opening: Opening) -> datetime | None:
    """From when on, by the calendar of London: the later of the day's release and the end of the embargo."""
    if _by_opening(slot, asker):
        days = [] if opening.days_ahead is None else [_midnight(slot, opening.days_ahead)]
        embargo = [] if opening.embargo_until is None else [opening.embargo_until]
        return max(days + embargo, default=None)
    match asker.standing, slot.kept_for:
        case "practice", "same-day":
            return _midnight(slot, 0)
        case "practice", "nhs-111":
            return slot.start - keeping.RECLAIMED_BEFORE
        case _:
            return None


def _midnight(slot: SlotFacts, days_before: int) -> datetime:
    """When the day begins that is so many days before the slot's."""
    day = london_date(slot.start) - timedelta(days=days_before)
    return datetime.combine(day, time(), LONDON).astimezone(UTC)
