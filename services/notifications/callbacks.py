"""What the providers bring: receipts for what they took, and texts from patients. Each shows in its way who it is."""

from hmac import compare_digest
from typing import Annotated, Any, Literal, TypeVar

import msgspec
import structlog
from fastapi import APIRouter, Depends, Request, Response
from msgspec import Meta, Struct
from msgspec.structs import fields
from starlette.datastructures import QueryParams

from services.notifications.commands import RecordReceipt
from services.notifications.inbound import take_in
from services.notifications.notify_gateway import STATUSES
from services.notifications.settings import own_settings
from services.notifications.turns import TurnsDep
from services.notifications.twilio_gateway import receipt_status
from services.notifications.twilio_signature import is_signed
from shared.access import Forbidden, TokenRefused
from shared.describing import takes
from shared.events.base import Instant
from shared.execute import Order
from shared.http import Answered, RunningDep
from shared.refusals import NotFound, Refusal

LARGEST_BODY = 16 * 1024
NOTHING_TO_SAY = '<?xml version="1.0" encoding="UTF-8"?><Response/>'
"""TwiML for no answer: what there is to say to a patient goes the way of every message."""

T = TypeVar("T", bound=Struct)

_log = structlog.get_logger(__name__)


Id = Annotated[str, Meta(pattern="^[!-~]{1,100}$")]


class Receipt(Struct, frozen=True):
    """Notify's delivery receipt, as far as it matters."""

    id: Id
    reference: str
    status: Literal["delivered", "permanent-failure", "temporary-failure", "technical-failure"]
    completed_at: Instant | None = None


class ReceivedText(Struct, frozen=True):
    """Notify's received text, as far as it matters."""

    id: Id
    source_number: str
    message: str


async def whole_body(request: Request) -> bytes:
    """The body, if it is not too large."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST_BODY:
            raise Answered(413, f"A callback has at most {LARGEST_BODY} bytes")
    return bytes(body)


async def from_notify(request: Request, service: RunningDep) -> bytes:
    """The body of a request that shows the callback token."""
    token = own_settings(service.settings).callback_token.get_secret_value()
    shown = request.headers.get("authorization", "")
    if not compare_digest(shown.encode(), f"Bearer {token}".encode()):
        _log.warning("a callback was refused", provider="notify")
        raise TokenRefused("This needs the callback token, as “Authorization: Bearer …”", code="no-token")
    return await whole_body(request)


async def from_twilio(request: Request, service: RunningDep) -> QueryParams:
    """The fields of a form that Twilio has signed with our account's token."""
    settings = own_settings(service.settings)
    if not settings.twilio_account:
        raise Forbidden("There is no account with Twilio here, so nothing of it is taken", code="no-account")
    form = _form(await whole_body(request))
    if not is_signed(request, form, settings):
        _log.warning("a callback was refused", provider="twilio")
        raise Forbidden("The signature is not Twilio's for this address and form", code="bad-signature")
    return form


def _takes(kind: type[Struct]) -> dict[str, Any]:
    return takes(
        "application/json",
        {"type": "object", "required": [field.encode_name for field in fields(kind) if field.required]},
    )


def _takes_form(*names: str) -> dict[str, Any]:
    return takes("application/x-www-form-urlencoded", {"type": "object", "required": list(names)})


NotifyBody = Annotated[bytes, Depends(from_notify)]
TwilioForm = Annotated[QueryParams, Depends(from_twilio)]

STATUS_PATH, INBOUND_PATH = "/v1/twilio/status/{reference}", "/v1/twilio/inbound"
CALLBACKS = frozenset({"/v1/receipts", "/v1/inbound", STATUS_PATH, INBOUND_PATH})
"""Open to those without one of our tokens: each of these routes checks its provider's credentials itself."""

router = APIRouter(tags=["notifications"])


@router.post("/v1/receipts", status_code=204, openapi_extra=_takes(Receipt))
async def take_notify_receipt(service: RunningDep, body: NotifyBody) -> Response:
    """What became of a message, from Notify. Twice, late or out of order it comes to the same."""
    receipt = _read(body, Receipt)
    message, attempt = _attempt_of(receipt.reference)
    command = RecordReceipt(message, attempt, "notify", receipt.id, STATUSES[receipt.status])
    await service.executor.execute(Order(command, occurred_at=receipt.completed_at))
    return Response(status_code=204)


@router.post("/v1/inbound", status_code=204, openapi_extra=_takes(ReceivedText))
async def take_notify_inbound(service: RunningDep, turns: TurnsDep, body: NotifyBody) -> Response:
    """A text from a patient, from Notify. The same one again is nothing."""
    received = _read(body, ReceivedText)
    await take_in(
        service, turns, provider="notify", inbound=received.id, source=received.source_number, text=received.message
    )
    return Response(status_code=204)


@router.post(STATUS_PATH, status_code=204, openapi_extra=_takes_form("MessageSid", "MessageStatus"))
async def take_twilio_status(service: RunningDep, form: TwilioForm, reference: str) -> Response:
    """How far a message has come, from Twilio. Only its end is recorded; twice, late or out of order it is the same."""
    sid, status = _field(form, "MessageSid"), _field(form, "MessageStatus")
    message, attempt = _attempt_of(reference)
    if end := receipt_status(status, form.get("ErrorCode", "")):
        await service.executor.execute(RecordReceipt(message, attempt, "twilio", sid, end))
    return Response(status_code=204)


@router.post(INBOUND_PATH, openapi_extra=_takes_form("MessageSid", "From", "Body"))
async def take_twilio_inbound(service: RunningDep, turns: TurnsDep, form: TwilioForm) -> Response:
    """A text from a patient, from Twilio. The same one again is nothing."""
    sid, source, text = (_field(form, name) for name in ("MessageSid", "From", "Body"))
    opt_out = form.get("OptOutType", "")
    await take_in(service, turns, provider="twilio", inbound=sid, source=source, text=text, opt_out=opt_out)
    return Response(NOTHING_TO_SAY, media_type="text/xml")


def _read(body: bytes, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as wrong:
        raise _invalid(str(wrong)) from None


def _form(body: bytes) -> QueryParams:
    """The fields, blank ones too, since they are signed like the rest."""
    try:
        return QueryParams(body.decode("ascii"))
    except UnicodeDecodeError:
        raise _invalid("it is not a form") from None


def _field(form: QueryParams, name: str) -> str:
    found = form.get(name)
    if found is None or "\0" in found:
        raise _invalid(f"it has no {name}")
    return found


def _invalid(reason: str) -> Refusal:
    return Refusal(f"The callback cannot be read: {reason}", code="invalid-callback", where="body")


def _attempt_of(reference: str) -> tuple[str, int]:
    message, _, attempt = reference.rpartition(".")
    if not (message and attempt.isdecimal() and len(attempt) < 7):
        raise NotFound("The reference is none of ours", code="never-sent", where="reference")
    return message, int(attempt)
