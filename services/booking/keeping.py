"""Whom a slot is for: its practice, NHS 111, or whichever organisations the practice has opened it to, and when.

The rules are those of GP Connect (slot availability: organisation type, ODS code, booking window, embargo) and of the
GMS contract (7.9B.1: the ring-fence). `openness` says the same in SQL.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta
from typing import Literal

from services.booking.commands import Asker, Standing
from shared.access import Caller
from shared.clock import LONDON, london_date
from shared.events.booking import KeptFor, Opening

RECLAIMED_BEFORE = timedelta(hours=2)
"""How long before it starts an unused slot of NHS 111 falls back to the practice (GMS contract, 7.9B.1)."""

NHS_111 = "nhs-111"
"""The organisation type of those who answer NHS 111."""

Verdict = Literal[
    "available",
    "kept",
    "closed",
    "not-for-type",
    "not-for-organisation",
    "begun",
    "embargoed",
    "not-released",
    "closing",
]
"""Whether somebody may have a slot, leaving aside whether anybody has it; of several reasons against it, the first."""

SENTENCES: Mapping[Verdict, str] = {
    "available": "The slot is open to this organisation",
    "kept": "The slot is kept for others",
    "closed": "The practice has not opened the slot to other organisations",
    "not-for-type": "The practice has opened the slot to organisations of other types only",
    "not-for-organisation": "The practice has opened the slot to other organisations only",
    "begun": "The slot has begun already",
    "embargoed": "The practice holds the slot back until a later date and time",
    "not-released": "The slot's day is further ahead than the practice releases its slots",
    "closing": "The slot starts too soon to be booked from outside the practice",
}

_ALWAYS = datetime.max.replace(tzinfo=UTC)
_CLOSED = Opening(closed=True)


def standing(caller: Caller, practice: str) -> Standing:
    """How this caller stands to the practice with this ODS code; an operator stands as the practice itself."""
    return "practice" if caller.operates else standing_of(caller.organisation, caller.organisation_type, practice)


def standing_of(organisation: str, organisation_type: str, practice: str) -> Standing:
    """How an organisation, by its ODS code and type, stands to a practice."""
    return "practice" if organisation == practice else standing_elsewhere(organisation_type)


def standing_elsewhere(organisation_type: str) -> Standing:
    """How an organisation of this type stands to every practice that it is not itself."""
    return "nhs-111" if organisation_type == NHS_111 else "public"


def usable_before(standing: Standing, now: datetime) -> Mapping[KeptFor, datetime]:
    """For each kind of kept slot, the instant before which it must start to be used now from this standing.

    To all but the practice, a slot kept for anyone must besides be open (`verdict`).
    """
    match standing:
        case "public":
            return {"anyone": _ALWAYS}
        case "nhs-111":
            return {"anyone": _ALWAYS, "nhs-111": _ALWAYS}
        case "practice":
            return {"anyone": _ALWAYS, "same-day": _end_of_day(now), "nhs-111": now + RECLAIMED_BEFORE}


def effective(session: Opening | None, practice: Opening | None) -> Opening:
    """The opening that counts for a session's slots: its own, else its practice's; closed if neither says anything."""
    return session or practice or _CLOSED


def verdict(asker: Asker, kept_for: KeptFor, start: datetime, opening: Opening, now: datetime) -> Verdict:
    """Whether the asker may have a slot so kept and so opened (`effective`) that starts then."""
    if kept_for == "anyone" and asker.standing != "practice":
        return _of_opening(asker, start, opening, now)
    # To work out when the day ends is dear, and of no use to the many slots that are kept for anyone.
    if kept_for != "anyone" and not _before(usable_before(asker.standing, now).get(kept_for), start):
        return "kept"
    return "available" if start > now else "begun"


def _before(limit: datetime | None, start: datetime) -> bool:
    return limit is not None and start < limit


def _of_opening(asker: Asker, start: datetime, opening: Opening, now: datetime) -> Verdict:
    if opening.closed:
        return "closed"
    # A restriction that the asker says nothing to is a restriction not met: the four cases of GP Connect's table.
    if opening.organisation_types and asker.organisation_type not in opening.organisation_types:
        return "not-for-type"
    if opening.organisations and asker.organisation not in opening.organisations:
        return "not-for-organisation"
    if start <= now:
        return "begun"
    if opening.embargo_until is not None and opening.embargo_until > now:
        return "embargoed"
    if opening.days_ahead is not None and (london_date(start) - london_date(now)).days > opening.days_ahead:
        return "not-released"
    return "available" if start - timedelta(minutes=opening.closes_minutes) > now else "closing"


def _end_of_day(now: datetime) -> datetime:
    return datetime.combine(london_date(now) + timedelta(days=1), time(), LONDON).astimezone(UTC)
