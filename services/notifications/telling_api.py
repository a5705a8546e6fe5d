"""Notifications' part of an appointment's story. For operators."""

from fastapi import APIRouter, Request

from services.notifications.story import read_story
from shared.http import OperatorOnly, RunningDep
from shared.story import Story

router = APIRouter(prefix="/v1/appointments", tags=["looking back"], dependencies=[OperatorOnly])


@router.get("/{appointment}/story")
async def tell_story(appointment: str, service: RunningDep, request: Request) -> Story:
    """What was sent about the appointment, what became of it and what was answered, in words but without theirs."""
    async with service.engine.connect() as connection:
        story = await read_story(connection, appointment)
    request.state.practice = next((each.practice for each in story.events), "")
    return story
