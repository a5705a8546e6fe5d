"""Twilio's wire: forms, an account's token, errors known by their code, and no reference of ours to ask by."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote

import aiohttp
from yarl import URL

from services.notifications.commands import ReceiptStatus
from services.notifications.gateways import (
    BROKEN,
    MISCONFIGURED_PAUSE,
    NEVER_SENT,
    RATE_LIMIT_PAUSE,
    UNREACHABLE_PAUSE,
    Absent,
    Deferred,
    Finding,
    Found,
    Lost,
    Outcome,
    Provider,
    Refused,
    Taken,
    Trace,
    Unknowable,
    Unreachable,
    json_of,
    until_midnight,
)
from services.notifications.wording import Text
from shared.clock import Clock

QUEUE_FULL_PAUSE = 600.0
GOOD_FOR = timedelta(hours=4)
"""How long Twilio may keep a message queued: what is sent in the evening must not ring at night."""
CLOCKS_APART = timedelta(hours=1)
"""How much earlier than our attempt a message may seem to have been made. Too little would text a patient twice; too
much takes the same words, sent to the same telephone a moment ago, for these."""
PAGE, PAGES = 1000, 5
"""Messages to one number that are looked through: far more than anyone is sent in the time that Twilio keeps them."""

OUR_FAULT = frozenset({21212, 21408, 21603, 21606, 21608, 21609, 21624, 21659, 21660, 21701, 21703, 21704, 21705})
"""Errors of our account or sender, not of the number written to: a Messaging Service that is not there, a country
that is not switched on, a trial account, and the like. Any other is of this message alone, and final."""

SOFT: Mapping[int, ReceiptStatus] = {
    30001: "technical",
    30002: "technical",
    30003: "temporary",
    30008: "technical",
    30010: "technical",
    30017: "temporary",
    30022: "technical",
    30036: "temporary",
    30410: "technical",
    30500: "technical",
}
"""Failures that say nothing for good about the number, by their code. Any other does."""


class TwilioGateway:
    """Twilio, or whatever speaks its wire. The session carries the account's credentials."""

    provider: Provider = "twilio"

    def __init__(self, session: aiohttp.ClientSession, *, account: str, sender: str, reached_at: str) -> None:
        self._session = session
        self._messages = f"/2010-04-01/Accounts/{account}/Messages"
        self._sender = {"MessagingServiceSid" if sender.startswith("MG") else "From": sender}
        self._receipts = f"{reached_at}/v1/twilio/status/"
        self._real = Clock()

    async def send(self, text: Text, reference: str) -> Outcome:
        order = {
            **self._sender,
            "To": text.to,
            "Body": text.body,
            "StatusCallback": self._receipts + quote(reference, safe=""),
            "ValidityPeriod": str(round(GOOD_FOR.total_seconds())),
            # Else a Messaging Service may exchange characters, and the words could not be recognised.
            "SmartEncoded": "false",
        }
        try:
            async with self._session.post(f"{self._messages}.json", data=order, allow_redirects=False) as answer:
                return outcome_of(answer.status, await json_of(answer), self._real.now())
        except NEVER_SENT:
            return Deferred("unreachable", "The provider cannot be reached", UNREACHABLE_PAUSE)
        except BROKEN:
            return Lost()

    async def look_up(self, trace: Trace) -> Finding:
        """By number and words. Not by the day of sending as well: what is queued has none yet."""
        if trace.text is None:
            return Unknowable()
        path, asked = f"{self._messages}.json", {"To": trace.text.to, "PageSize": str(PAGE)}
        since, doubtful = trace.attempted_at - CLOCKS_APART, False
        for _ in range(PAGES):
            status, page = await self._get(path, asked)
            match status, page:
                case 200, {"messages": [*messages]}:
                    if found := _recognised(messages, trace.text.body, since):
                        return found
                    doubtful = doubtful or any(_may_be_any(message, since) for message in messages)
                case _:
                    return Unreachable()
            match page.get("next_page_uri"):
                case None | "":
                    return Unknowable() if doubtful else Absent()
                case str(after) if after.startswith("/"):
                    path, asked = after, {}
                case _:
                    return Unreachable()
        return Unreachable()

    async def ask(self, provider_id: str) -> Finding:
        match await self._get(f"{self._messages}/{quote(provider_id, safe='')}.json", {}):
            case 200, {"status": str(status), **message}:
                return Found(provider_id, receipt_status(status, message.get("error_code")))
            case 404, {"code": 20404}:
                return Absent()
            case _:
                return Unreachable()

    async def _get(self, path: str, asked: Mapping[str, str]) -> tuple[int, Mapping[str, Any]]:
        """The answer's status and what it holds; no status where there is none."""
        try:
            async with self._session.get(URL(path, encoded=True), params=asked) as answer:
                return answer.status, await json_of(answer)
        except BROKEN:
            return 0, {}


def outcome_of(status: int, body: Mapping[str, Any], now: datetime) -> Outcome:
    """By status and code, never by the text of the message."""
    match status, body.get("code"):
        case 201, _:
            sid = body.get("sid")
            return Taken(sid) if isinstance(sid, str) else Lost()
        case 400, 21610:
            return Refused("The number wants no texts, as its owner told the provider", opted_out=True)
        case _, 21611:
            return Deferred("pace", "The provider's queue for our number is full", QUEUE_FULL_PAUSE)
        case 429, 63038:
            return Deferred("day", "The provider's limit for the day is reached", until_midnight(now))
        case 429, _:
            return Deferred("pace", "The provider asks for a slower pace", RATE_LIMIT_PAUSE)
        case 400, int(code) if code not in OUR_FAULT:
            return Refused(f"The provider refuses it: {code}")
        case status, code if 400 <= status < 500:
            reason = f"The provider does not accept our requests: {status} {code or ''}".rstrip()
            return Deferred("misconfigured", reason, MISCONFIGURED_PAUSE)
        case _:
            return Lost()


def receipt_status(status: str, code: int | str | None) -> ReceiptStatus | None:
    """What Twilio's status comes to, if it is an end."""
    match status:
        case "delivered" | "read":
            return "delivered"
        case "undelivered" | "failed":
            return _failure(str(code or ""))
        case "canceled":
            return "technical"
        case _:
            return None


def _failure(code: str) -> ReceiptStatus:
    return SOFT.get(int(code), "permanent") if code.isdecimal() else "technical"


def _recognised(messages: Sequence[Any], body: str, since: datetime) -> Found | None:
    """The message with these words, made since then."""
    for message in messages:
        match message:
            case {"sid": str(sid), "status": str(status), "body": str(words)} if words.split() == body.split():
                if _is_made_since(message.get("date_created"), since):
                    return Found(sid, receipt_status(status, message.get("error_code")))
    return None


def _may_be_any(message: object, since: datetime) -> bool:
    """Whether it was made since then, and its words were taken out at the provider, or cannot be read."""
    match message:
        case {"sid": str(), "status": str(), "body": str(words), **rest} if any(map(str.isalnum, words)):
            return False
        case {**rest}:
            return _is_made_since(rest.get("date_created"), since)
        case _:
            return True


def _is_made_since(created: object, since: datetime) -> bool:
    """Also if it is not said when: the words are the same, and whoever may have them is not sent them again."""
    try:
        made = parsedate_to_datetime(str(created))
    except ValueError:
        return True
    return made.tzinfo is None or made >= since
