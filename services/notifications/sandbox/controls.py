"""The sandbox's own routes: its knobs, its figures, and answers for the patients."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from services.notifications.sandbox.desk import Desk, DeskDep
from services.notifications.sandbox.knobs import Knobs
from services.notifications.sandbox.phones import Figures, Reply
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
    """A text from any telephone."""

    model_config = ConfigDict(extra="forbid")

    phone: str = Field(pattern=r"^\+?[0-9]{3,15}$")
    text: str = Field(min_length=1, max_length=918)


class Answers(BaseModel):
    """How many patients should answer what."""

    model_config = ConfigDict(extra="forbid")

    keep: int = Field(default=0, ge=0)
    another_time: int = Field(default=0, ge=0)
    cancel: int = Field(default=0, ge=0)


@router.get("/knobs")
async def knobs(desk: DeskDep) -> dict[str, Any]:
    """The knobs as they stand."""
    return _as_dict(desk.panel.knobs)


@router.post("/knobs")
async def turn(desk: DeskDep, changes: dict[str, Any]) -> dict[str, Any]:
    """Turn some of the knobs."""
    return _as_dict(desk.panel.turn(changes))


@router.get("/figures")
async def figures(desk: DeskDep) -> Figures:
    """What was accepted, delivered and answered so far."""
    return desk.phones.figures()


@router.get("/messages")
async def messages(desk: DeskDep, limit: int = 100) -> list[dict[str, Any]]:
    """The newest messages."""
    newest = list(desk.phones.messages.values())[: -limit - 1 : -1]
    return [
        {
            "id": message.accepted.id,
            "reference": message.accepted.reference,
            "phone": message.accepted.phone,
            "body": message.accepted.body,
            "status": message.status,
            "at": message.accepted.at,
        }
        for message in newest
    ]


@router.post("/reply")
async def reply(desk: DeskDep, answer: Answer) -> dict[str, Any]:
    """Answer a message as its patient would."""
    message = desk.phones.messages.get(answer.to)
    if message is None:
        raise NotFound("The sandbox has no such message", code="unknown-message", where="to")
    return await _bring(desk, message.accepted.phone, answer.text)


@router.post("/reply-as")
async def reply_as(desk: DeskDep, text: TextFrom) -> dict[str, Any]:
    """Write from any telephone, whether it was sent anything or not."""
    return await _bring(desk, text.phone, text.text)


@router.post("/answers")
async def answers(desk: DeskDep, wanted: Answers) -> dict[str, int]:
    """Have so many patients answer 1, 2 and 3, each once, and say how many did when all is taken in.

    Only telephones with exactly one message, and no reply so far, take part.
    """
    texts = ["1"] * wanted.keep + ["2"] * wanted.another_time + ["3"] * wanted.cancel
    silent = [
        number
        for number, phone in desk.phones.phones.items()
        if len(phone.messages) == 1 and not phone.replies and phone.messages[0].status == "delivered"
    ]
    written = [desk.write_back(number, text) for number, text in zip(silent, texts, strict=False)]
    async with asyncio.timeout(ANSWERS_WITHIN):
        await asyncio.gather(*map(desk.courier.bring, written))
    return _counted(written)


def _counted(written: Sequence[Reply]) -> dict[str, int]:
    counted = Counter(reply.replied.text for reply in written)
    return {"keep": counted["1"], "another_time": counted["2"], "cancel": counted["3"]}


async def _bring(desk: Desk, phone: str, text: str) -> dict[str, Any]:
    written = desk.write_back(phone, text)
    await asyncio.wait([desk.courier.bring(written)], timeout=TAKEN_WITHIN)
    return {"reply": written.replied.id, "taken": written.brought}


def _as_dict(knobs: Knobs) -> dict[str, Any]:
    return {name: getattr(knobs, name) for name in knobs.__struct_fields__}
