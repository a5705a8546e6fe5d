"""Requests of whoever works through what the rules leave to people: unknown outcomes to settle, and replies to read."""

from collections.abc import Sequence
from typing import Literal

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from services.notifications.commands import SettleUnknown
from services.notifications.guarding import Name, OwnPractice
from services.notifications.resolving import resolve
from services.notifications.stories import WholeStory, whole_story
from services.notifications.turns import Turns, TurnsDep
from services.notifications.worklists import OpenReply, Unknown, concerns_only, read_replies, read_unknown
from shared.audit import Also
from shared.events.notifications import Verdict
from shared.http import OperatorOnly, RunningDep
from shared.refusals import NotFound
from shared.scopes import MAY_READ, MAY_WRITE
from shared.service import Running

ResolvedAnswer = Literal["keep", "another-time", "cancel", "stop", "wrong-number", "nothing"]

router = APIRouter(prefix="/v1", tags=["worklists"])


class _Body(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


class OutcomeForm(_Body):
    """What somebody has found out at the provider: that the text was `sent`, or that it was `not-sent`."""

    verdict: Verdict
    by: Name


class ResolutionForm(_Body):
    """What a reply means, as somebody reads it, and to which `message` it is the answer.

    `nothing`: it has been read, and there is nothing to do.
    """

    message: str = Field(default="", max_length=200, pattern=r"^[^\x00]*$")
    answer: ResolvedAnswer = "nothing"
    by: Name


class Resolved(_Body):
    """A reply that has been read."""

    reply: str
    message: str
    answer: ResolvedAnswer
    resolved_by: str


@router.get("/unknown", dependencies=[OperatorOnly])
async def unknown(service: RunningDep, request: Request, response: Response) -> Sequence[Unknown]:
    """The messages that may or may not have been sent, the soonest appointment first: look for them at the provider."""
    response.headers["Cache-Control"] = "no-store"
    async with service.engine.connect() as connection:
        found = await read_unknown(connection, service.keys)
    _note(request, "/v1/unknown", {each.practice for each in found})
    return found


@router.post("/messages/{message}/outcome", dependencies=[OperatorOnly])
async def settle(service: RunningDep, message: str, form: OutcomeForm, request: Request) -> WholeStory:
    """Say what was found out. What was not sent is sent after all, if it is still true."""
    async with service.engine.connect() as connection:
        known = await whole_story(connection, message)
    request.state.practice = known.practice
    await service.executor.execute(SettleUnknown(message, form.verdict, form.by))
    async with service.engine.connect() as connection:
        return await whole_story(connection, message)


@router.get("/replies", dependencies=[OperatorOnly])
async def replies(service: RunningDep, request: Request, response: Response) -> Sequence[OpenReply]:
    """The texts that wait for somebody to read them, the oldest first, with what they may be answers to."""
    found = await _replies(service, response)
    _note(request, "/v1/replies", {each.practice for reply in found for each in reply.candidates})
    return found


@router.post("/replies/{reply}/resolution", dependencies=[OperatorOnly])
async def resolve_reply(service: RunningDep, turns: TurnsDep, reply: str, form: ResolutionForm) -> Resolved:
    """Say what a text means; what follows from such an answer follows."""
    return await _resolve(service, turns, reply, form)


@router.get("/practices/{practice}/replies", dependencies=[MAY_READ])
async def practice_replies(practice: OwnPractice, service: RunningDep, response: Response) -> Sequence[OpenReply]:
    """The same, as far as they can concern no other practice's patients."""
    return await _replies(service, response, practice)


@router.post("/practices/{practice}/replies/{reply}/resolution", dependencies=[MAY_WRITE])
async def resolve_practice_reply(
    practice: OwnPractice, reply: str, form: ResolutionForm, service: RunningDep, turns: TurnsDep
) -> Resolved:
    """The same for a reply that the practice can see."""
    async with service.engine.connect() as connection:
        if not await concerns_only(connection, practice, reply):
            raise NotFound("There is no such reply to read here", code="unknown-reply", where="reply")
    return await _resolve(service, turns, reply, form)


async def _replies(service: Running, response: Response, practice: str = "") -> Sequence[OpenReply]:
    response.headers["Cache-Control"] = "no-store"
    async with service.engine.connect() as connection:
        return await read_replies(connection, service.keys, service.clock.now(), practice)


async def _resolve(service: Running, turns: Turns, reply: str, form: ResolutionForm) -> Resolved:
    # PostgreSQL would not even look for a NUL character.
    asked = reply.replace("\0", " ")
    answer = None if form.answer == "nothing" else form.answer
    await resolve(service, turns, asked, message=form.message or None, answer=answer, by=form.by)
    return Resolved(reply=reply, message=form.message, answer=form.answer, resolved_by=form.by)


def _note(request: Request, route: str, practices: set[str]) -> None:
    """A line in the trail for each practice whose patients were read about."""
    request.state.also.extend(Also("GET", route, 200, practice=practice) for practice in sorted(practices))
