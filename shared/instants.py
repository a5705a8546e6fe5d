"""Instants that a question is about: in the past, since nobody can look back from what is to come."""

from datetime import datetime

from shared.clock import parse_instant, written
from shared.refusals import Refusal


def past_instant(text: str, now: datetime, where: str) -> datetime:
    """The instant, or now if none is named; without offset it is London's. Raises `Refusal` for one still to come."""
    if not text:
        return now
    instant = parse_instant(text, where)
    if instant > now:
        raise Refusal(
            f"{written(instant)} is still to come; the newest that can be looked at is now, {written(now)}",
            code="in-the-future",
            where=where,
        )
    return instant
