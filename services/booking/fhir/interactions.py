"""What is asked of a FHIR interaction, and its answer, whichever way they travel: alone over HTTP, or in a Bundle."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from services.booking.fhir.resources import Json
from shared.access import Caller

Prefer = Literal["minimal", "representation", "OperationOutcome"]
"""What the answer to a write should carry: R4's `Prefer: return=…`."""


@dataclass(frozen=True, slots=True)
class Ask:
    """One interaction as it was asked for.

    `base` is the absolute address of the API, without a slash at its end. `parameters` are those of a search, in the
    order they were sent; `body` is the decoded resource of a write. `strict` is `Prefer: handling=strict`. `now` is
    the service's own clock, in UTC.
    """

    caller: Caller
    base: str
    now: datetime
    parameters: Sequence[tuple[str, str]] = ()
    body: Any = None
    if_match: str | None = None
    if_none_exist: str | None = None
    idempotency_key: str | None = None
    prefer: Prefer = "representation"
    strict: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """What comes of it. Refusals are raised, never answered. `practice` is whose diary it was, for the trail."""

    resource: Json | None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    practice: str = ""
