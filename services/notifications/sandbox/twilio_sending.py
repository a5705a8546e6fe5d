"""Sending a text over Twilio's wire."""

import re
from collections.abc import Mapping
from urllib.parse import unquote, urlsplit

import msgspec
from fastapi import APIRouter, Request
from fastapi.responses import Response

from services.notifications.sandbox.accounts import TwilioAccount
from services.notifications.sandbox.answering import answer
from services.notifications.sandbox.desk import Desk
from services.notifications.sandbox.journal import Accepted
from services.notifications.sandbox.numbers import SMOKE
from services.notifications.sandbox.sids import message_id
from services.notifications.sandbox.twilio_wire import Authenticated, TwilioError, turn_away, written
from services.notifications.sandbox.twilio_words import API_VERSION, State

LONGEST = 1600
VALIDITY = range(1, 36_001)

_E164 = re.compile(r"\+[1-9]\d{6,14}")
_UK_MOBILE = re.compile(r"\+447\d{9}")
_UK_FIXED = re.compile(r"\+44[12358]\d{8,9}")

router = APIRouter(prefix=f"/{API_VERSION}/Accounts/{{account}}", tags=["twilio"])


@router.post("/Messages.json", status_code=201)
async def send(request: Request, desk: Authenticated) -> Response:
    """Take a text message, unless told to do something worse."""
    door = desk.doors["twilio"]
    turn_away(door.too_many(desk.accepted_today("twilio")))
    async with request.form() as form:
        order = {name: value for name, value in form.items() if isinstance(value, str)}
    _check(order, desk.twilio)
    turn_away(await door.mishap())
    accepted = _accepted(order, desk)
    if accepted.phone in desk.phones.opted_out:
        raise TwilioError(400, 21610, "Attempt to send to unsubscribed recipient")
    if accepted.phone not in SMOKE:
        desk.accept(accepted)
    turn_away("fail" if door.panel.take("fail_after") else None)
    queued = State("accepted" if accepted.messaging_service else "queued")
    return await answer(request, door, msgspec.json.encode(written(desk, accepted, queued, sent=False)))


def _accepted(order: Mapping[str, str], desk: Desk) -> Accepted:
    callback = order.get("StatusCallback", "")
    return Accepted(
        id=message_id("twilio"),
        reference=_reference(callback),
        phone=order["To"],
        body=order["Body"],
        template="",
        at=desk.now("twilio"),
        dropped=desk.doors["twilio"].panel.take("drop"),
        provider="twilio",
        callback=callback,
        messaging_service=order.get("MessagingServiceSid", ""),
    )


def _reference(callback: str) -> str:
    """Twilio keeps no reference of ours, so we end the address for receipts with it."""
    return unquote(urlsplit(callback).path.rpartition("/")[2])


def _check(order: Mapping[str, str], account: TwilioAccount) -> None:
    _check_to(order.get("To", ""))
    _check_from(order, account)
    body = order.get("Body", "")
    if not body:
        raise TwilioError(400, 21602, "Message body is required")
    if len(body) > LONGEST:
        raise TwilioError(400, 21617, f"The concatenated message body exceeds the {LONGEST} character limit")
    validity = order.get("ValidityPeriod", "36000")
    if not (validity.isdecimal() and len(validity) < 6 and int(validity) in VALIDITY):
        raise TwilioError(400, 21624, "Invalid validity period value")
    callback = order.get("StatusCallback")
    if callback is not None and not re.match(r"https?://[^/]", callback):
        raise TwilioError(400, 21609, f"The 'StatusCallback' URL {callback} is not a valid URL")


def _check_to(to: str) -> None:
    if not to:
        raise TwilioError(400, 21604, "A 'To' phone number is required")
    if _UK_FIXED.fullmatch(to):
        raise TwilioError(400, 21614, "'To' number is not a valid mobile number")
    if not _E164.fullmatch(to) or (to.startswith("+44") and not _UK_MOBILE.fullmatch(to)):
        raise TwilioError(400, 21211, f"Invalid 'To' Phone Number: {to}")
    if not to.startswith("+44"):
        raise TwilioError(400, 21408, "Permission to send an SMS has not been enabled for this region")


def _check_from(order: Mapping[str, str], account: TwilioAccount) -> None:
    match order.get("MessagingServiceSid"), order.get("From"):
        case None, None:
            raise TwilioError(400, 21603, "A 'From' phone number is required")
        case str(service), _ if service != account.messaging_service:
            raise TwilioError(400, 21701, "The Messaging Service does not exist")
        case _, str(sender) if sender != account.number:
            raise TwilioError(400, 21606, f"The 'From' phone number {sender} is not a valid sender of this account")
        case _:
            pass
