"""The way out to the telephone networks: a message to a provider, and what is known to have become of it, no more."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, Protocol

import aiohttp
import msgspec

from services.notifications.commands import ReceiptStatus
from services.notifications.wording import Text

NEVER_SENT = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError)
"""What can only happen before a request is written. (The adaptor that puts aiohttp beneath httpx mixes these up with a
connection cut in the middle, so it would have us send twice.)"""
BROKEN = (aiohttp.ClientError, TimeoutError)
"""All that can go wrong on the way, those included."""
RATE_LIMIT_PAUSE = 2.0
UNREACHABLE_PAUSE = 1.0
MISCONFIGURED_PAUSE = 30.0

Provider = Literal["notify", "twilio"]


@dataclass(frozen=True, slots=True)
class Taken:
    """The provider has it."""

    provider_id: str


@dataclass(frozen=True, slots=True)
class Refused:
    """It was certainly not sent, and never will be. `opted_out`: its owner told the provider to stop texting."""

    reason: str
    opted_out: bool = False


Hindrance = Literal["unreachable", "pace", "day", "misconfigured"]
"""Why a provider takes nothing at present: it is not there; we are too fast; its limit for the day is reached; it does
not accept our requests."""


@dataclass(frozen=True, slots=True)
class Deferred:
    """It was certainly not sent; after so many seconds this provider may be tried again."""

    hindrance: Hindrance
    reason: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Lost:
    """The request may have arrived; the answer did not."""


Outcome = Taken | Refused | Deferred | Lost


@dataclass(frozen=True, slots=True)
class Found:
    """The provider has it, and `status` if it has come to an end."""

    provider_id: str
    status: ReceiptStatus | None


@dataclass(frozen=True, slots=True)
class Absent:
    """The provider says it has no such message."""


@dataclass(frozen=True, slots=True)
class Unreachable:
    """The provider could not be asked."""


@dataclass(frozen=True, slots=True)
class Unknowable:
    """The provider can be asked by the words only, and they were erased, with us or with it."""


Finding = Found | Absent | Unreachable | Unknowable


@dataclass(frozen=True, slots=True)
class Trace:
    """What an attempt can be recognised by. `text` is missing where the patient's data was erased."""

    reference: str
    attempted_at: datetime
    text: Text | None


class Gateway(Protocol):
    """A provider of text messages."""

    @property
    def provider(self) -> Provider: ...

    async def send(self, text: Text, reference: str) -> Outcome:
        """Hand over one message under this reference."""
        ...

    async def look_up(self, trace: Trace) -> Finding:
        """Whether the provider has the message of this attempt."""
        ...

    async def ask(self, provider_id: str) -> Finding:
        """How it stands with a message that the provider has taken under this id."""
        ...


async def json_of(answer: aiohttp.ClientResponse) -> Mapping[str, Any]:
    """What the provider answers; nothing, where that makes no sense."""
    try:
        return msgspec.json.decode(await answer.read(), type=dict[str, Any])
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return {}


def until_midnight(now: datetime) -> float:
    """The seconds until a provider's next day, in UTC, begins."""
    midnight = (now + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    return (midnight - now).total_seconds()
