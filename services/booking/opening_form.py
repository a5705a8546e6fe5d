"""To whom slots are open, as the plain API takes it and shows it."""

import re
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from services.booking.fhir.resources import local
from services.booking.practices import ods_code
from shared.events.booking import Opening
from shared.refusals import Refusal

FURTHEST = 366
"""Days ahead: no diary is published further than a year."""
LONGEST_CLOSING = 7 * 24 * 60
"""Minutes: a slot that closes a week before it starts is as good as closed."""

_TYPE = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")

Restriction = Annotated[tuple[str, ...], Field(max_length=100)]


class OpeningForm(BaseModel):
    """Whom, beside the practice itself, slots kept for anyone are open to, and when; empty lists restrict nothing.

    A slot is released `days_ahead` calendar days before its day (without it at once), not before `embargo_until` (a
    time with its offset), and closes `closes_minutes` before it starts. `closed`: open to nobody else.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    closed: bool = Field(default=False, strict=True)
    organisation_types: Restriction = ()
    organisations: Restriction = ()
    days_ahead: int | None = Field(default=None, ge=0, le=FURTHEST, strict=True)
    embargo_until: str | None = None
    closes_minutes: int = Field(default=0, ge=0, le=LONGEST_CLOSING, strict=True)


def read_opening(form: OpeningForm, within: str = "") -> Opening:
    """The opening that the form describes, its lists in order and without repeats.

    Raises `Refusal` naming the element that makes no sense, `within` (such as `opening.`) the body.
    """
    for place, organisation_type in enumerate(form.organisation_types):
        require_type(organisation_type, f"{within}organisation_types[{place}]")
    for place, organisation in enumerate(form.organisations):
        require_ods_code(organisation, f"{within}organisations[{place}]")
    return Opening(
        closed=form.closed,
        organisation_types=tuple(sorted(set(form.organisation_types))),
        organisations=tuple(sorted(set(form.organisations))),
        days_ahead=form.days_ahead,
        embargo_until=_embargo(form.embargo_until, f"{within}embargo_until"),
        closes_minutes=form.closes_minutes,
    )


def shown(opening: Opening) -> dict[str, Any]:
    """The opening as it is answered: every element, times in UK local time; what was sent can be sent again."""
    return {
        "closed": opening.closed,
        "organisation_types": opening.organisation_types,
        "organisations": opening.organisations,
        "days_ahead": opening.days_ahead,
        "embargo_until": None if opening.embargo_until is None else local(opening.embargo_until),
        "closes_minutes": opening.closes_minutes,
    }


def require_type(text: str, where: str) -> None:
    """Raises `Refusal` unless this has the form of an organisation type; which types there are is not Daybook's."""
    if len(text) > 64 or not _TYPE.fullmatch(text):
        raise Refusal(
            "An organisation type is written in small letters and hyphens, as gp-practice or urgent-care",
            code="bad-organisation-type",
            where=where,
        )


def require_ods_code(text: str, where: str) -> None:
    """Raises `Refusal`, naming this place, unless this is an ODS code."""
    try:
        ods_code(text)
    except Refusal as refusal:
        raise Refusal(refusal.message, code=refusal.code, where=where) from None


def _embargo(text: str | None, where: str) -> datetime | None:
    """An embargo may end in a night when the clocks change, so it says its offset."""
    if text is None:
        return None
    try:
        instant = datetime.fromisoformat(text)
        if instant.tzinfo is not None:
            return instant.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise Refusal("A time is written with its offset, as 2024-07-22T08:00:00+01:00", code="invalid-time", where=where)
