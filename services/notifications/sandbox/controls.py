"""The sandbox's own routes: its knobs, its figures, and answers for the patients."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from services.notifications.sandbox.desk import Desk, DeskDep
from services.notifications.sandbox.figures import Figures, count
from services.notifications.sandbox.journal import PROVIDERS, Provider
from services.notifications.sandbox.numbers import uk_mobile
from services.notifications.sandbox.phones import Phone, Reply
from services.notifications.sandbox.statuses import status_of
from shared.refusals import NotFound

TAKEN_WITHIN = 10.0
"""Seconds to wait for one reply to be taken in; it is brought later all the same."""
ANSWERS_WITHIN = 600.0

router = APIRouter(prefix="/sandbox", tags=["sandbox"])


class Answer(BaseModel):
    """Answer for the patient who got message `to`."""

    model_config = ConfigDict(extra="forbid")

    to: str
    text: str = Field(min_length=1, max_length=918)


class TextFrom(BaseModel):
    """A text from any telephone to the number of one provider."""

    model_config = ConfigDict(extra="forbid")

    phone: str = Field(pattern=r"^\+?[0-9]{3,15}$")
    text: str = Field(min_length=1, max_length=918)
    provider: Provider = "notify"


class Answers(BaseModel):
    """How many patients should answer what."""

    model_config = ConfigDict(extra="forbid")

    keep: int = Field(default=0, ge=0)
    another_time: int = Field(default=0, ge=0)
    cancel: int = Field(default=0, ge=0)


@router.get("/knobs")
async def knobs(desk: DeskDep) -> dict[Provider, Any]:
    """The knobs of each provider as they stand."""
    return _knobs(desk)


@router.post("/knobs")
async def turn(desk: DeskDep, changes: dict[str, Any], provider: Provider | None = None) -> dict[Provider, Any]:
    """Turn some of the knobs, of one provider or of both."""
    turn_knobs(desk, changes, provider)
    return _knobs(desk)


@router.get("/figures")
async def figures(desk: DeskDep) -> Figures:
    """What was accepted, delivered and answered so far."""
    return count(desk.phones, desk.doors)


@router.get("/messages")
async def messages(desk: DeskDep, limit: int = 100) -> list[dict[str, Any]]:
    """The newest messages."""
    newest = list(desk.phones.messages.values())[: -limit - 1 : -1]
    return [
        {
            "id": message.accepted.id,
            "reference": message.accepted.reference,
            "provider": message.accepted.provider,
            "phone": message.accepted.phone,
            "body": message.accepted.body,
            "status": status_of(message),
            "at": message.accepted.at,
        }
        for message in newest
    ]


@router.post("/reply")
async def reply(desk: DeskDep, answer: Answer) -> dict[str, Any]:
    """Answer a message as its patient would, to the number it came from."""
    return await _bring(desk, reply_to(desk, answer.to, answer.text))


@router.post("/reply-as")
async def reply_as(desk: DeskDep, text: TextFrom) -> dict[str, Any]:
    """Write from any telephone, whether it was sent anything or not."""
    return await _bring(desk, desk.write_back(uk_mobile(text.phone) or text.phone, text.text, text.provider))


@router.post("/answers")
async def answers(desk: DeskDep, wanted: Answers) -> dict[str, int]:
    """Have so many patients answer 1, 2 and 3, each once, and say how many did when all is taken in.

    Only telephones with exactly one message, and no reply so far, take part.
    """
    texts = ["1"] * wanted.keep + ["2"] * wanted.another_time + ["3"] * wanted.cancel
    silent = [phone.messages[0].accepted for phone in desk.phones.phones.values() if _may_answer(phone)]
    written = [desk.write_back(to.phone, text, to.provider) for to, text in zip(silent, texts, strict=False)]
    async with asyncio.timeout(ANSWERS_WITHIN):
        await asyncio.gather(*map(desk.courier.bring, written))
    return _counted(written)


def turn_knobs(desk: Desk, changes: Mapping[str, Any], provider: Provider | None) -> None:
    """Of one provider, or of both. A change that is refused is refused by the first already."""
    for one in (provider,) if provider else PROVIDERS:
        desk.doors[one].turn(changes)


def reply_to(desk: Desk, message: str, text: str) -> Reply:
    """The patient's answer to this message, kept and still to be brought. Raises `NotFound`."""
    found = desk.phones.messages.get(message)
    if found is None:
        raise NotFound("The sandbox has no such message", code="unknown-message", where="to")
    return desk.write_back(found.accepted.phone, text, found.accepted.provider)


def _may_answer(phone: Phone) -> bool:
    match phone.messages, phone.replies:
        case [only], []:
            return only.settled is not None and only.settled.status == "delivered"
        case _:
            return False


def _counted(written: Sequence[Reply]) -> dict[str, int]:
    counted = Counter(reply.replied.text for reply in written)
    return {"keep": counted["1"], "another_time": counted["2"], "cancel": counted["3"]}


async def _bring(desk: Desk, written: Reply) -> dict[str, Any]:
    await asyncio.wait([desk.courier.bring(written)], timeout=TAKEN_WITHIN)
    return {"reply": written.replied.id, "taken": written.brought}


def _knobs(desk: Desk) -> dict[Provider, Any]:
    return {provider: msgspec.structs.asdict(door.panel.knobs) for provider, door in desk.doors.items()}
