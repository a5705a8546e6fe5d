"""Asking over Twilio's wire: messages by sid, or in pages by receiver and day."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, Request

from services.notifications.sandbox.desk import Desk
from services.notifications.sandbox.phones import Message
from services.notifications.sandbox.twilio_wire import (
    Authenticated,
    TwilioError,
    message_of,
    messages_of,
    not_found,
)
from services.notifications.sandbox.twilio_words import API_VERSION

PAGE, LARGEST_PAGE = 50, 1000
DAY, SECOND = timedelta(days=1), timedelta(seconds=1)

router = APIRouter(prefix=f"/{API_VERSION}/Accounts/{{account}}", tags=["twilio"])


@router.get("/Messages/{sid}.json")
async def look_up_one(request: Request, desk: Authenticated, sid: str) -> dict[str, Any]:
    """One message by the sid it was given here."""
    message = desk.phones.messages.get(sid)
    if message is None or message.accepted.provider != "twilio":
        raise not_found(request)
    return message_of(desk, message)


@router.get("/Messages.json")
async def look_up(request: Request, desk: Authenticated) -> dict[str, Any]:
    """Those that were sent, the newest first, a page at a time."""
    asked = request.query_params
    first, last = _sent_between(asked)
    found = [message for message in _addressed(desk, asked) if first <= _sent_at(message) <= last]
    size = min(_whole(asked, "PageSize", PAGE) or PAGE, LARGEST_PAGE)
    start = _after(found, asked.get("PageToken", ""))
    return _page(request, desk, found, start, size)


def _page(request: Request, desk: Desk, found: Sequence[Message], start: int, size: int) -> dict[str, Any]:
    """The page, with the address of the one after it."""
    asked, uri = request.query_params, f"{messages_of(desk.twilio)}.json"
    number, page = _whole(asked, "Page", 0), found[start : start + size]
    filters = {name: value for name, value in asked.items() if name not in ("Page", "PageToken", "PageSize")}
    filters["PageSize"] = str(size)
    token = f"PA{page[-1].accepted.id}" if start + size < len(found) else ""
    after = urlencode(filters | {"Page": str(number + 1), "PageToken": token})
    return {
        "messages": [message_of(desk, message) for message in page],
        "first_page_uri": f"{uri}?{urlencode(filters | {'Page': '0'})}",
        "next_page_uri": f"{uri}?{after}" if token else None,
        "previous_page_uri": None,
        "page": number,
        "page_size": size,
        "start": start,
        "end": start + max(len(page) - 1, 0),
        "uri": f"{uri}?{request.url.query}" if request.url.query else uri,
    }


def _addressed(desk: Desk, asked: Mapping[str, str]) -> Sequence[Message]:
    if asked.get("From", desk.twilio.number) != desk.twilio.number:
        return []
    return desk.phones.sent_by("twilio", asked.get("To", ""))


def _sent_between(asked: Mapping[str, str]) -> tuple[datetime, datetime]:
    """The first and the last second in which what is asked for was sent. `DateSent>=…` in an address is the parameter
    `DateSent>`, so the bounds themselves belong to it."""
    first, last = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
    if "DateSent>" in asked:
        first, _ = _time(asked["DateSent>"])
    if "DateSent<" in asked:
        last, _ = _time(asked["DateSent<"])
    if "DateSent" in asked:
        then, lasting = _time(asked["DateSent"])
        first, last = max(first, then), min(last, then + lasting - SECOND)
    return first, last


def _sent_at(message: Message) -> datetime:
    return message.accepted.at.replace(microsecond=0)


def _time(text: str) -> tuple[datetime, timedelta]:
    """An instant and how long it lasts: a second, or, if only a date is given, the day."""
    try:
        then = datetime.fromisoformat(text)
    except ValueError:
        raise TwilioError(400, 20001, f"Invalid date: {text}") from None
    return then if then.tzinfo else then.replace(tzinfo=UTC), SECOND if "T" in text else DAY


def _after(found: Sequence[Message], token: str) -> int:
    """Where the page starts: after the message that the token of the last one names."""
    if not token:
        return 0
    for place, message in enumerate(found):
        if f"PA{message.accepted.id}" == token:
            return place + 1
    raise TwilioError(400, 20001, "Invalid page token")


def _whole(asked: Mapping[str, str], name: str, otherwise: int) -> int:
    text = asked.get(name, "")
    if text and not (text.isdecimal() and len(text) < 10):
        raise TwilioError(400, 20001, f"{name} is not a whole number")
    return int(text) if text else otherwise
