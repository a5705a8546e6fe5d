"""Twilio's wire: whom it lets in, its way of saying no, and how it writes a message."""

from base64 import b64decode
from collections.abc import Mapping
from hmac import compare_digest
from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.responses import JSONResponse, Response

from services.notifications.sandbox.accounts import TwilioAccount
from services.notifications.sandbox.desk import Desk, DeskDep
from services.notifications.sandbox.door import Mishap
from services.notifications.sandbox.journal import Accepted
from services.notifications.sandbox.phones import Message
from services.notifications.sandbox.twilio_words import API_VERSION, State, rfc_2822, state_of
from services.notifications.segments import size


class TwilioError(Exception):
    """A no in Twilio's shape. Its clients go by the code."""

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message


MISHAPS: Mapping[Mishap, tuple[int, int, str]] = {
    "down": (503, 20503, "Service unavailable"),
    "fail": (500, 20500, "Internal server error"),
    "refuse": (400, 21612, "Message cannot be sent with the current combination of 'To' and 'From' parameters"),
    "limit": (429, 20429, "Too many requests"),
    "day": (429, 63038, "Account exceeded the daily messages limit"),
}


def turn_away(mishap: Mishap | None) -> None:
    """Raise Twilio's error for it, if anything has befallen the request."""
    if mishap:
        raise TwilioError(*MISHAPS[mishap])


def no(request: Request, error: Exception) -> Response:
    """The error as Twilio writes it."""
    if not isinstance(error, TwilioError):
        raise error
    body = {
        "code": error.code,
        "message": error.message,
        "more_info": f"https://www.twilio.com/docs/errors/{error.code}",
        "status": error.status,
    }
    challenge = {"WWW-Authenticate": 'Basic realm="Twilio API"'} if error.status == 401 else None
    return JSONResponse(body, status_code=error.status, headers=challenge)


async def authenticated(request: Request, desk: DeskDep, account: str) -> Desk:
    """The desk, for a request that shows the account's id and token, and asks for things of that account."""
    turn_away("down" if desk.doors["twilio"].panel.knobs.down else None)
    if not _is_ours(request.headers.get("authorization", ""), desk.twilio):
        raise TwilioError(401, 20003, "Authenticate")
    if account != desk.twilio.sid:
        raise not_found(request)
    return desk


Authenticated = Annotated[Desk, Depends(authenticated)]


def not_found(request: Request) -> TwilioError:
    return TwilioError(404, 20404, f"The requested resource {request.url.path} was not found")


def message_of(desk: Desk, message: Message) -> dict[str, Any]:
    """The message as it stands, when asked for it."""
    return written(desk, message.accepted, state_of(message), sent=True)


def written(desk: Desk, accepted: Accepted, state: State, *, sent: bool) -> dict[str, Any]:
    """The message in this state. It has a time of sending only once it was `sent`."""
    at = rfc_2822(accepted.at)
    uri = f"{messages_of(desk.twilio)}/{accepted.id}"
    return {
        "sid": accepted.id,
        "account_sid": desk.twilio.sid,
        "messaging_service_sid": accepted.messaging_service or None,
        "direction": "outbound-api",
        "from": desk.twilio.number,
        "to": accepted.phone,
        "body": accepted.body,
        "num_segments": str(size(accepted.body).segments),
        "num_media": "0",
        "status": state.status,
        "error_code": state.code,
        "error_message": state.meaning,
        "date_created": at,
        "date_sent": at if sent else None,
        "date_updated": at,
        "price": None,
        "price_unit": "GBP",
        "api_version": API_VERSION,
        "uri": f"{uri}.json",
        "subresource_uris": {"media": f"{uri}/Media.json"},
    }


def messages_of(account: TwilioAccount) -> str:
    """The path of all its messages, without `.json`."""
    return f"/{API_VERSION}/Accounts/{account.sid}/Messages"


def _is_ours(authorization: str, account: TwilioAccount) -> bool:
    scheme, _, shown = authorization.partition(" ")
    try:
        pair = b64decode(shown, validate=True)
    except ValueError:
        return False
    return scheme.lower() == "basic" and compare_digest(pair, f"{account.sid}:{account.token}".encode())
