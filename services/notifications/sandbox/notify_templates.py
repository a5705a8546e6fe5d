"""The one template there is at our GOV.UK Notify: it holds nothing but `((body))`."""

from typing import Any

import msgspec
from fastapi import APIRouter, Request

from services.notifications.sandbox.desk import Desk
from services.notifications.sandbox.notify_wire import Authenticated, NotifyError

CREATED = "2024-01-01T00:00:00.000000Z"

router = APIRouter(prefix="/v2", tags=["notify"])


@router.get("/templates")
async def templates(desk: Authenticated, type: str | None = None) -> dict[str, Any]:
    """All there are."""
    return {"templates": [_template(desk)] if type in (None, "sms") else []}


@router.get("/template/{id}")
async def template(desk: Authenticated, id: str) -> dict[str, Any]:
    return _found(desk, id)


@router.get("/template/{id}/version/{version}")
async def template_version(desk: Authenticated, id: str, version: str) -> dict[str, Any]:
    """It was never changed, so there is one version."""
    return _found(desk, id if version == "1" else "")


@router.post("/template/{id}/preview")
async def preview(request: Request, desk: Authenticated, id: str) -> dict[str, Any]:
    """What a text with these words would say."""
    found = _found(desk, id)
    try:
        given = msgspec.json.decode(await request.body(), type=dict[str, dict[str, str]])
    except (msgspec.DecodeError, UnicodeDecodeError) as wrong:
        raise NotifyError(400, "ValidationError", str(wrong)) from None
    body = given.get("personalisation", {}).get("body")
    if body is None:
        raise NotifyError(400, "BadRequestError", "Missing personalisation: body")
    return {name: found[name] for name in ("id", "type", "version")} | {
        "body": body,
        "subject": None,
        "html": None,
        "postage": None,
    }


def _found(desk: Desk, id: str) -> dict[str, Any]:
    if id != desk.notify.template:
        raise NotifyError(404, "NoResultFound", "No result found")
    return _template(desk)


def _template(desk: Desk) -> dict[str, Any]:
    return {
        "id": desk.notify.template,
        "name": "Daybook's own wording",
        "type": "sms",
        "created_at": CREATED,
        "updated_at": None,
        "created_by": "practice@example.org",
        "version": 1,
        "body": "((body))",
        "subject": None,
        "postage": None,
        "letter_contact_block": None,
        "personalisation": {"body": {"required": True}},
    }
