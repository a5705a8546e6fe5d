"""Sending a text over GOV.UK Notify's wire."""

import msgspec
from fastapi import APIRouter, Request
from fastapi.responses import Response
from msgspec import Struct

from services.notifications.sandbox.answering import answer
from services.notifications.sandbox.journal import Accepted
from services.notifications.sandbox.notify_wire import Authenticated, NotifyError, sent, turn_away
from services.notifications.sandbox.numbers import SMOKE, uk_mobile
from services.notifications.sandbox.sids import message_id

LONGEST = 918
LONGEST_REFERENCE = 1000

router = APIRouter(prefix="/v2/notifications", tags=["notify"])


class Sms(Struct, frozen=True, forbid_unknown_fields=True):
    """What Notify takes to send a text. The wording is ours, in a template that holds nothing but `((body))`."""

    phone_number: str
    template_id: str
    personalisation: dict[str, str] = {}
    reference: str = ""
    sms_sender_id: str | None = None


@router.post("/sms", status_code=201)
async def send(request: Request, desk: Authenticated) -> Response:
    """Take a text message, unless told to do something worse."""
    door = desk.doors["notify"]
    turn_away(door.too_many(desk.accepted_today("notify")))
    sms = _read(await request.body())
    phone, body = _phone(sms), _wording(sms)
    turn_away(await door.mishap())
    accepted = Accepted(
        id=message_id("notify"),
        reference=sms.reference,
        phone=phone,
        body=body,
        template=sms.template_id,
        at=desk.now("notify"),
        dropped=door.panel.take("drop"),
    )
    if phone not in SMOKE:
        desk.accept(accepted)
    turn_away("fail" if door.panel.take("fail_after") else None)
    return await answer(request, door, msgspec.json.encode(sent(desk, accepted)))


def _read(body: bytes) -> Sms:
    try:
        return msgspec.json.decode(body, type=Sms)
    except (msgspec.DecodeError, UnicodeDecodeError) as wrong:
        raise NotifyError(400, "ValidationError", str(wrong)) from None


def _phone(sms: Sms) -> str:
    phone = uk_mobile(sms.phone_number)
    if phone is None:
        raise NotifyError(400, "ValidationError", "phone_number Number is not a UK mobile number")
    return phone


def _wording(sms: Sms) -> str:
    body = sms.personalisation.get("body")
    if body is None:
        raise NotifyError(400, "BadRequestError", "Missing personalisation: body")
    if len(body) > LONGEST:
        raise NotifyError(400, "BadRequestError", f"Text messages cannot be longer than {LONGEST} characters")
    if len(sms.reference) > LONGEST_REFERENCE:
        raise NotifyError(400, "ValidationError", "reference is too long")
    return body
