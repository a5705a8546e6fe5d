"""GOV.UK Notify's wire: sending a text, looking one up, and its way of saying no."""

import asyncio
import re
from typing import Annotated, Any

import jwt
import msgspec
from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse, Response
from msgspec import Struct

from services.notifications.sandbox.courier import OUR_NUMBER
from services.notifications.sandbox.desk import Desk, DeskDep
from services.notifications.sandbox.phones import Message

PAGE = 250
LONGEST = 918
LONGEST_REFERENCE = 1000
TOKEN_SECONDS = 30
LONGEST_SILENCE = 120
"""Seconds after which even an answer that is never given ends."""

_MOBILE = re.compile(r"(?:\+44|0044|44|0)(7\d{9})")


class WireError(Exception):
    """A no in Notify's shape. Its clients go by the status and the error's name."""

    def __init__(self, status: int, error: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.error = error
        self.message = message


class Sms(Struct, frozen=True, forbid_unknown_fields=True):
    """What Notify takes to send a text. The wording is ours, in a template that holds nothing but `((body))`."""

    phone_number: str
    template_id: str
    personalisation: dict[str, str] = {}
    reference: str = ""
    sms_sender_id: str | None = None


def no(request: Request, error: Exception) -> Response:
    """The error as Notify writes it."""
    if not isinstance(error, WireError):
        raise error
    body = {"status_code": error.status, "errors": [{"error": error.error, "message": error.message}]}
    return JSONResponse(body, status_code=error.status)


async def authenticated(request: Request, desk: DeskDep) -> Desk:
    """The desk, for a request with a token of the one key we know, made within 30 seconds of now."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise WireError(401, "AuthError", "Unauthorized: authentication token must be provided")
    try:
        claims = jwt.decode(token, desk.secret, ["HS256"], options={"require": ["iss", "iat"], "verify_iat": False})
    except jwt.InvalidTokenError:
        raise WireError(403, "AuthError", "Invalid token: API key not found") from None
    if claims["iss"] != desk.service:
        raise WireError(403, "AuthError", "Invalid token: service not found")
    if abs(desk.real.now().timestamp() - float(claims["iat"])) > TOKEN_SECONDS:
        raise WireError(403, "AuthError", "Error: Your system clock must be accurate to within 30 seconds")
    return desk


Authenticated = Annotated[Desk, Depends(authenticated)]

router = APIRouter(prefix="/v2/notifications", tags=["notify"])


@router.post("/sms", status_code=201)
async def send(request: Request, desk: Authenticated) -> Response:
    """Take a text message, unless told to do something worse."""
    sms = _read(await request.body())
    number = _number(sms)
    body = _wording(sms)
    await _misbehave(desk)
    message = desk.accept(number, body, sms.reference, sms.template_id)
    if desk.panel.take("drop_answer"):
        await _never_answer(request)
    return Response(msgspec.json.encode(_sent(desk, message)), status_code=201, media_type="application/json")


@router.get("")
async def look_up(
    request: Request, desk: Authenticated, reference: str | None = None, older_than: str | None = None
) -> dict[str, Any]:
    """The messages under a reference, or all, the newest first, a page at a time."""
    found = desk.phones.under(reference) if reference else list(desk.phones.messages.values())[::-1]
    if older_than:
        found = [message for message in found if message.accepted.id < older_than]
    page = found[:PAGE]
    links = {"current": str(request.url)}
    if page:
        links["next"] = str(request.url.include_query_params(older_than=page[-1].accepted.id))
    return {"notifications": [_notification(desk, message) for message in page], "links": links}


@router.get("/{id}")
async def look_up_one(desk: Authenticated, id: str) -> dict[str, Any]:
    """One message by the id it was given here."""
    message = desk.phones.messages.get(id)
    if message is None:
        raise WireError(404, "NoResultFound", "No result found")
    return _notification(desk, message)


def _read(body: bytes) -> Sms:
    try:
        return msgspec.json.decode(body, type=Sms)
    except msgspec.DecodeError as wrong:
        raise WireError(400, "ValidationError", str(wrong)) from None


def _number(sms: Sms) -> str:
    match = _MOBILE.fullmatch(re.sub(r"[\s()\-]", "", sms.phone_number))
    if match is None:
        raise WireError(400, "ValidationError", "phone_number Number is not a UK mobile number")
    return f"+44{match[1]}"


def _wording(sms: Sms) -> str:
    body = sms.personalisation.get("body")
    if body is None:
        raise WireError(400, "BadRequestError", "Missing personalisation: body")
    if len(body) > LONGEST:
        raise WireError(400, "BadRequestError", f"Text messages cannot be longer than {LONGEST} characters")
    if len(sms.reference) > LONGEST_REFERENCE:
        raise WireError(400, "ValidationError", "reference is too long")
    return body


async def _misbehave(desk: Desk) -> None:
    """Whatever the knobs want to happen before anything is accepted."""
    await asyncio.sleep(desk.panel.knobs.delay_ms / 1000)
    if desk.panel.take("fail"):
        raise WireError(500, "Exception", "Internal server error")
    if desk.panel.take("limit"):
        raise WireError(429, "RateLimitError", "Exceeded rate limit for key type LIVE of 3000 requests per 60 seconds")
    if desk.panel.take("refuse"):
        raise WireError(400, "BadRequestError", "Can't send to this recipient")


async def _never_answer(request: Request) -> None:
    """Hold on until the other side gives up. (What is received after the body is the news of its leaving.)"""
    try:
        async with asyncio.timeout(LONGEST_SILENCE):
            await request.receive()
    except TimeoutError:
        return


def _sent(desk: Desk, message: Message) -> dict[str, Any]:
    accepted = message.accepted
    return {
        "id": accepted.id,
        "reference": accepted.reference or None,
        "content": {"body": accepted.body, "from_number": OUR_NUMBER},
        "uri": f"{desk.url}/v2/notifications/{accepted.id}",
        "template": _template(desk, accepted.template),
        "scheduled_for": None,
    }


def _notification(desk: Desk, message: Message) -> dict[str, Any]:
    accepted, settled = message.accepted, message.settled
    return {
        "id": accepted.id,
        "reference": accepted.reference or None,
        "type": "sms",
        "phone_number": accepted.phone,
        "email_address": None,
        "status": message.status,
        "body": accepted.body,
        "subject": None,
        "template": _template(desk, accepted.template),
        "created_at": accepted.at,
        "created_by_name": None,
        "sent_at": accepted.at,
        "completed_at": settled.at if settled else None,
        "scheduled_for": None,
    }


def _template(desk: Desk, template: str) -> dict[str, Any]:
    return {"id": template, "version": 1, "uri": f"{desk.url}/v2/template/{template}"}
