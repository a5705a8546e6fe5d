"""GOV.UK Notify's wire: whom it lets in, its way of saying no, and how it writes a message."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

import jwt
from fastapi import Depends, Request
from fastapi.responses import JSONResponse, Response
from jwt.types import Options

from services.notifications.sandbox.desk import Desk, DeskDep
from services.notifications.sandbox.door import Mishap
from services.notifications.sandbox.journal import Accepted
from services.notifications.sandbox.phones import Message
from services.notifications.sandbox.statuses import notify_status

TOKEN_SECONDS = 30
TOKEN_HAS: Options = {"require": ["iss", "iat"], "verify_iat": False}


class NotifyError(Exception):
    """A no in Notify's shape. Its clients go by the status and the error's name."""

    def __init__(self, status: int, error: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.error = error
        self.message = message


MISHAPS: Mapping[Mishap, tuple[int, str, str]] = {
    "down": (503, "ServiceUnavailable", "Service unavailable"),
    "fail": (500, "Exception", "Internal server error"),
    "refuse": (400, "BadRequestError", "Can't send to this recipient"),
    "limit": (429, "RateLimitError", "Exceeded rate limit for key type LIVE of 3000 requests per 60 seconds"),
    "day": (429, "TooManyRequestsError", "Exceeded send limits for today"),
}


def turn_away(mishap: Mishap | None) -> None:
    """Raise Notify's error for it, if anything has befallen the request."""
    if mishap:
        raise NotifyError(*MISHAPS[mishap])


def no(request: Request, error: Exception) -> Response:
    """The error as Notify writes it."""
    if not isinstance(error, NotifyError):
        raise error
    body = {"status_code": error.status, "errors": [{"error": error.error, "message": error.message}]}
    return JSONResponse(body, status_code=error.status)


async def authenticated(request: Request, desk: DeskDep) -> Desk:
    """The desk, for a request with a token of the one key we know, made within 30 seconds of now."""
    turn_away("down" if desk.doors["notify"].panel.knobs.down else None)
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise NotifyError(401, "AuthError", "Unauthorized: authentication token must be provided")
    try:
        claims = jwt.decode(token, desk.notify.secret, ["HS256"], options=TOKEN_HAS)
    except jwt.InvalidTokenError:
        raise NotifyError(403, "AuthError", "Invalid token: API key not found") from None
    if claims["iss"] != desk.notify.service:
        raise NotifyError(403, "AuthError", "Invalid token: service not found")
    if abs(desk.real_now("notify").timestamp() - float(claims["iat"])) > TOKEN_SECONDS:
        raise NotifyError(403, "AuthError", "Error: Your system clock must be accurate to within 30 seconds")
    return desk


Authenticated = Annotated[Desk, Depends(authenticated)]


def sent(desk: Desk, accepted: Accepted) -> dict[str, Any]:
    """The answer to sending."""
    return {
        "id": accepted.id,
        "reference": accepted.reference or None,
        "content": {"body": accepted.body, "from_number": desk.notify.number},
        "uri": f"{desk.url}/v2/notifications/{accepted.id}",
        "template": template_named(desk, accepted.template),
        "scheduled_for": None,
    }


def notification(desk: Desk, message: Message) -> dict[str, Any]:
    """The message as it stands, when asked for it."""
    accepted, settled = message.accepted, message.settled
    address = dict.fromkeys((f"line_{line}" for line in range(1, 7)), None)
    return {
        "id": accepted.id,
        "reference": accepted.reference or None,
        "type": "sms",
        "phone_number": accepted.phone,
        "email_address": None,
        **address,
        "postcode": None,
        "postage": None,
        "status": notify_status(message),
        "body": accepted.body,
        "subject": None,
        "template": template_named(desk, accepted.template),
        "created_at": zulu(accepted.at),
        "created_by_name": None,
        "sent_at": zulu(accepted.at),
        "completed_at": zulu(settled.at) if settled else None,
        "scheduled_for": None,
        "one_click_unsubscribe_url": None,
    }


def template_named(desk: Desk, template: str) -> dict[str, Any]:
    return {"id": template, "version": 1, "uri": f"{desk.url}/v2/template/{template}/version/1"}


def zulu(instant: datetime) -> str:
    """`2024-07-22T08:00:00.000000Z`."""
    return f"{instant:%Y-%m-%dT%H:%M:%S.%fZ}"
