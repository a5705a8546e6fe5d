"""The page that shows each telephone, and a box to answer for its owner. It works without JavaScript."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from services.notifications.sandbox.desk import DeskDep
from services.notifications.sandbox.phones import Phone
from services.notifications.segments import size
from services.notifications.wording import clock_time
from shared.clock import in_london
from shared.refusals import NotFound

PHONES = 24
"""Telephones on one page."""

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, slots=True)
class Bubble:
    """One text on a telephone's screen."""

    body: str
    at: datetime
    incoming: bool
    note: str


@router.get("/")
async def phones(desk: DeskDep, page: int = 1) -> HTMLResponse:
    """The telephones that something happened on last, the newest first."""
    newest = sorted(desk.phones.phones.items(), key=lambda item: _bubbles(item[1])[-1].at, reverse=True)
    first = (max(page, 1) - 1) * PHONES
    html = (
        _pages()
        .get_template("phones.html")
        .render(
            phones=[(number, _bubbles(phone), _answerable(phone)) for number, phone in newest[first : first + PHONES]],
            figures=desk.phones.figures(),
            knobs=desk.panel.knobs,
            page=max(page, 1),
            more=len(newest) > first + PHONES,
        )
    )
    return HTMLResponse(html)


@router.post("/")
async def answer(
    desk: DeskDep, to: Annotated[str, Form()], text: Annotated[str, Form(max_length=918)]
) -> RedirectResponse:
    """Answer for the patient. The text is brought while the page comes back."""
    message = desk.phones.messages.get(to)
    if message is None:
        raise NotFound("The sandbox has no such message", code="unknown-message", where="to")
    if text.strip():
        desk.courier.bring(desk.write_back(message.accepted.phone, text.strip()))
    return RedirectResponse("/", status_code=303)


@router.post("/knobs")
async def turn(desk: DeskDep, request: Request) -> RedirectResponse:
    """Turn the knobs as the form says."""
    async with request.form() as form:
        desk.panel.turn(dict(form))
    return RedirectResponse("/", status_code=303)


def _bubbles(phone: Phone) -> Sequence[Bubble]:
    sent = [Bubble(m.accepted.body, m.accepted.at, True, _note(m.status, m.accepted.body)) for m in phone.messages]
    written = [
        Bubble(r.replied.text, r.replied.at, False, "taken in" if r.brought else "on its way") for r in phone.replies
    ]
    return sorted([*sent, *written], key=lambda bubble: bubble.at)


def _note(status: str, body: str) -> str:
    parts = size(body).segments
    return f"{status}, {parts} part{'s' if parts > 1 else ''}"


def _answerable(phone: Phone) -> str:
    """The message that an answer typed on the page belongs to."""
    return phone.messages[-1].accepted.id if phone.messages else ""


def _pages() -> Environment:
    pages = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"), autoescape=True, undefined=StrictUndefined
    )
    pages.filters["wall_time"] = _wall_time
    pages.filters["spaced"] = _spaced
    return pages


def _wall_time(instant: datetime) -> str:
    local = in_london(instant)
    return f"{local:%a} {local.day} {local:%B}, {clock_time(local.time())}"


def _spaced(number: str) -> str:
    """`+447700900123` as people write it: `07700 900 123`."""
    local = number.replace("+44", "0", 1)
    return f"{local[:5]} {local[5:8]} {local[8:]}"
