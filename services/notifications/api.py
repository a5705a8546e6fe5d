"""Who may speak to notifications: the provider, bringing receipts and replies; and people, asking how it stands."""

from hmac import compare_digest
from typing import Annotated, Any, Literal, TypeVar

import msgspec
from fastapi import APIRouter, Depends, Request, Response
from msgspec import Struct
from msgspec.structs import fields

from services.notifications.commands import RecordReceipt
from services.notifications.gateways import STATUSES
from services.notifications.inbound import take_in
from services.notifications.settings import own_settings
from services.notifications.views import Campaign, Story, read_campaign, read_story, read_unknown
from shared.access import TokenRefused
from shared.describing import takes
from shared.events.base import Instant
from shared.execute import Order
from shared.http import Answered, OperatorOnly, RunningDep
from shared.refusals import NotFound, Refusal

LARGEST_BODY = 16 * 1024
LONGEST_WORKLIST = 500

T = TypeVar("T", bound=Struct)


class Receipt(Struct, frozen=True):
    """Notify's delivery receipt, as far as it matters."""

    id: str
    reference: str
    status: Literal["delivered", "permanent-failure", "temporary-failure", "technical-failure"]
    completed_at: Instant | None = None


class ReceivedText(Struct, frozen=True):
    """Notify's received text, as far as it matters."""

    id: str
    source_number: str
    message: str


async def from_provider(request: Request, service: RunningDep) -> bytes:
    """The body of a request that shows the callback token, if it is not too large."""
    token = own_settings(service.settings).callback_token.get_secret_value()
    shown = request.headers.get("authorization", "")
    if not compare_digest(shown.encode(), f"Bearer {token}".encode()):
        raise TokenRefused("This needs the callback token, as “Authorization: Bearer …”", code="no-token")
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST_BODY:
            raise Answered(413, f"A callback has at most {LARGEST_BODY} bytes")
    return bytes(body)


def _takes(kind: type[Struct]) -> dict[str, Any]:
    return takes(
        "application/json",
        {"type": "object", "required": [field.encode_name for field in fields(kind) if field.required]},
    )


ProviderBody = Annotated[bytes, Depends(from_provider)]

CALLBACKS = frozenset({"/v1/receipts", "/v1/inbound"})
"""The provider has a token of its own kind, which these routes check themselves."""

router = APIRouter(tags=["notifications"])
people = APIRouter(tags=["notifications"], dependencies=[OperatorOnly])


@router.post("/v1/receipts", status_code=204, openapi_extra=_takes(Receipt))
async def take_receipt(service: RunningDep, body: ProviderBody) -> Response:
    """What became of a message. Twice, late or out of order it comes to the same."""
    receipt = _read(body, Receipt)
    message, attempt = _attempt_of(receipt.reference)
    command = RecordReceipt(message, attempt, receipt.id, STATUSES[receipt.status])
    await service.executor.execute(Order(command, occurred_at=receipt.completed_at))
    return Response(status_code=204)


@router.post("/v1/inbound", status_code=204, openapi_extra=_takes(ReceivedText))
async def take_inbound(service: RunningDep, body: ProviderBody) -> Response:
    """A text from a patient. The same one again is nothing."""
    received = _read(body, ReceivedText)
    await take_in(service, received.id, received.source_number, received.message)
    return Response(status_code=204)


@people.get("/v1/outages/{outage}/messages")
async def campaign(service: RunningDep, outage: str) -> Campaign:
    """How far the messages of an outage have come, and what was answered."""
    async with service.engine.connect() as connection:
        return await read_campaign(connection, outage)


@people.get("/v1/messages/{message}")
async def story(service: RunningDep, message: str) -> Story:
    """One message from plan to outcome, and what came back."""
    async with service.engine.connect() as connection:
        found = await read_story(connection, message)
    if found is None:
        raise NotFound("There is no such message", code="unknown-message", where="message")
    return found


@people.get("/v1/unknown")
async def unknown(service: RunningDep) -> list[Story]:
    """The messages that may or may not have been sent: for a person to look into, the soonest appointment first."""
    async with service.engine.connect() as connection:
        return list(await read_unknown(connection, LONGEST_WORKLIST))


def _read(body: bytes, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as wrong:
        raise Refusal(f"The callback cannot be read: {wrong}", code="invalid-callback", where="body") from None


def _attempt_of(reference: str) -> tuple[str, int]:
    message, _, attempt = reference.rpartition(".")
    if not (message and attempt.isdecimal() and len(attempt) < 4):
        raise NotFound("The reference is none of ours", code="never-sent", where="reference")
    return message, int(attempt)
