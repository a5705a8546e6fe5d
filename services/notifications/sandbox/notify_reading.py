"""Asking over GOV.UK Notify's wire: messages by id or in pages, and the texts that came in."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated, Any, TypeVar
from uuid import UUID

from fastapi import APIRouter, Query, Request

from services.notifications.sandbox.desk import Desk
from services.notifications.sandbox.notify_wire import Authenticated, NotifyError, notification, zulu
from services.notifications.sandbox.phones import Message, Reply
from services.notifications.sandbox.statuses import notify_status

PAGE = 250
KEPT = timedelta(days=7)

FAILED = frozenset({"permanent-failure", "temporary-failure", "technical-failure"})
STATUSES = FAILED | {"created", "sending", "pending", "sent", "delivered", "failed"}
"""What one may ask for; `failed` stands for all the failures."""
TYPES = frozenset({"sms", "email", "letter"})

T = TypeVar("T", Message, Reply)

router = APIRouter(prefix="/v2", tags=["notify"])


@router.get("/notifications")
async def look_up(
    request: Request,
    desk: Authenticated,
    status: Annotated[list[str] | None, Query()] = None,
    template_type: Annotated[list[str] | None, Query()] = None,
    reference: str | None = None,
    older_than: str | None = None,
) -> dict[str, Any]:
    """The messages under a reference, or all, the newest first, a page at a time."""
    wanted, types = _one_of("status", status, STATUSES), _one_of("template_type", template_type, TYPES)
    found = desk.phones.under(reference) if reference else desk.phones.sent_by("notify")
    if "failed" in wanted:
        wanted |= FAILED
    if wanted:
        found = [message for message in found if notify_status(message) in wanted]
    if types and "sms" not in types:
        found = []
    page = _older(found, [message.accepted.id for message in found], older_than)
    last = page[-1].accepted.id if page else ""
    return {"notifications": [notification(desk, message) for message in page], "links": _links(request, desk, last)}


@router.get("/notifications/{id}")
async def look_up_one(desk: Authenticated, id: str) -> dict[str, Any]:
    """One message by the id it was given here."""
    message = desk.phones.messages.get(_uuid("notification_id", id))
    if message is None or message.accepted.provider != "notify":
        raise NotifyError(404, "NoResultFound", "No result found")
    return notification(desk, message)


@router.get("/received-text-messages")
async def received(request: Request, desk: Authenticated, older_than: str | None = None) -> dict[str, Any]:
    """What patients wrote in the last seven days, the newest first, a page at a time."""
    since = desk.now("notify") - KEPT
    found = [
        reply
        for reply in list(desk.phones.replies.values())[::-1]
        if reply.replied.provider == "notify" and reply.replied.at >= since
    ]
    page = _older(found, [reply.replied.id for reply in found], older_than)
    last = page[-1].replied.id if page else ""
    return {"received_text_messages": [_received(desk, reply) for reply in page], "links": _links(request, desk, last)}


def _received(desk: Desk, reply: Reply) -> dict[str, Any]:
    replied = reply.replied
    return {
        "id": replied.id,
        "created_at": zulu(replied.at),
        "service_id": desk.notify.service,
        "notify_number": desk.notify.number,
        "user_number": replied.phone.removeprefix("+"),
        "content": replied.text,
    }


def _older(found: Sequence[T], ids: Sequence[str], than: str | None) -> Sequence[T]:
    """The page after the one that ended with this id; what is older than a stranger is nothing."""
    if than is None:
        return found[:PAGE]
    place = ids.index(than) + 1 if _uuid("older_than", than) in ids else len(ids)
    return found[place : place + PAGE]


def _links(request: Request, desk: Desk, last: str) -> dict[str, str]:
    """`older_than` stands first: the official client takes the first UUID it sees, and a reference may be one."""
    here = f"{desk.url}{request.url.path}"
    asked = request.url.query
    links = {"current": f"{here}?{asked}" if asked else here}
    if last:
        others = [part for part in asked.split("&") if part and not part.startswith("older_than=")]
        links["next"] = f"{here}?{'&'.join([f'older_than={last}', *others])}"
    return links


def _one_of(name: str, given: Sequence[str] | None, known: frozenset[str]) -> frozenset[str]:
    for one in given or ():
        if one not in known:
            raise NotifyError(400, "ValidationError", f"{name} {one} is not one of [{', '.join(sorted(known))}]")
    return frozenset(given or ())


def _uuid(name: str, text: str) -> str:
    try:
        return str(UUID(text))
    except ValueError:
        raise NotifyError(400, "ValidationError", f"{name} is not a valid UUID") from None
