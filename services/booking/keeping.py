"""Whom a slot is kept for, and until when: the ring-fence of NHS 111 and the practice's own same-day share."""

from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta

from services.booking.commands import Caller
from shared.clock import LONDON, london_date
from shared.events.booking import KeptFor

RECLAIMED_BEFORE = timedelta(hours=2)
"""How long before it starts an unused slot of NHS 111 falls back to the practice (GMS contract, 7.9B.1)."""

_ALWAYS = datetime.max.replace(tzinfo=UTC)


def usable_before(caller: Caller, now: datetime) -> Mapping[KeptFor, datetime]:
    """For each kind of kept slot, the instant before which it must start for this caller to use it now."""
    match caller:
        case "public":
            return {"anyone": _ALWAYS}
        case "nhs-111":
            return {"anyone": _ALWAYS, "nhs-111": _ALWAYS}
        case "practice":
            return {"anyone": _ALWAYS, "same-day": _end_of_day(now), "nhs-111": now + RECLAIMED_BEFORE}


def may_use(caller: Caller, kept_for: KeptFor, start: datetime, now: datetime) -> bool:
    """Whether this caller may book a slot so kept."""
    limit = usable_before(caller, now).get(kept_for)
    return limit is not None and start < limit


def _end_of_day(now: datetime) -> datetime:
    return datetime.combine(london_date(now) + timedelta(days=1), time(), LONDON).astimezone(UTC)
