"""The page that shows each telephone, and a box to answer for its owner. It works without JavaScript."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from services.notifications.sandbox.controls import reply_to, turn_knobs
from services.notifications.sandbox.desk import DeskDep
from services.notifications.sandbox.figures import count
from services.notifications.sandbox.journal import Provider
from services.notifications.sandbox.phones import Message, Phone, Reply
from services.notifications.sandbox.statuses import status_of
from services.notifications.segments import size
from services.notifications.wording import clock_time
from shared.clock import in_london

PHONES = 24
"""Telephones on one page."""

NAMES: Mapping[Provider, str] = {"notify": "GOV.UK Notify", "twilio": "Twilio"}

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, slots=True)
class Bubble:
    """One text on a telephone's screen."""

    body: str
    at: datetime
    incoming: bool
    note: str


@dataclass(frozen=True, slots=True)
class Screen:
    """One telephone. `answerable`: the last message from each provider, to which an answer typed here belongs."""

    number: str
    bubbles: Sequence[Bubble]
    answerable: Mapping[Provider, str]
    opted_out: bool


@router.get("/")
async def phones(desk: DeskDep, page: int = 1) -> HTMLResponse:
    """The telephones that something happened on last, the newest first."""
    newest = sorted(desk.phones.phones.items(), key=lambda item: _last(item[1]), reverse=True)
    first = (max(page, 1) - 1) * PHONES
    html = (
        _pages()
        .get_template("phones.html")
        .render(
            phones=[
                Screen(number, _bubbles(phone), _answerable(phone), number in desk.phones.opted_out)
                for number, phone in newest[first : first + PHONES]
            ],
            figures=count(desk.phones, desk.doors),
            knobs={provider: door.panel.knobs for provider, door in desk.doors.items()},
            names=NAMES,
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
    if text.strip():
        desk.courier.bring(reply_to(desk, to, text.strip()))
    return RedirectResponse("/", status_code=303)


@router.post("/knobs")
async def turn(desk: DeskDep, request: Request, provider: Provider | None = None) -> RedirectResponse:
    """Turn the knobs as the form says."""
    async with request.form() as form:
        turn_knobs(desk, dict(form), provider)
    return RedirectResponse("/", status_code=303)


def _last(phone: Phone) -> datetime:
    return max([m.accepted.at for m in phone.messages[-1:]] + [r.replied.at for r in phone.replies[-1:]])


def _bubbles(phone: Phone) -> Sequence[Bubble]:
    sent = map(_sent, phone.messages)
    written = (bubble for reply in phone.replies for bubble in _written(reply))
    return sorted([*sent, *written], key=lambda bubble: bubble.at)


def _sent(message: Message) -> Bubble:
    accepted, parts = message.accepted, size(message.accepted.body).segments
    note = f"{NAMES[accepted.provider]}: {status_of(message)}, {parts} part{'s' if parts > 1 else ''}"
    return Bubble(accepted.body, accepted.at, True, note)


def _written(reply: Reply) -> Iterator[Bubble]:
    replied, provider = reply.replied, NAMES[reply.replied.provider]
    yield Bubble(replied.text, replied.at, False, f"to {provider}: {'taken in' if reply.brought else 'on its way'}")
    if reply.answer:
        yield Bubble(reply.answer, replied.at, True, f"{provider}, by itself")


def _answerable(phone: Phone) -> Mapping[Provider, str]:
    """The provider that wrote last stands first."""
    last = {message.accepted.provider: message.accepted.id for message in phone.messages}
    order = dict.fromkeys(message.accepted.provider for message in reversed(phone.messages))
    return {provider: last[provider] for provider in order}


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
