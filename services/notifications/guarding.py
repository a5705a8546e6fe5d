"""Who may ask for what is a practice's: operators, and the practice's own system."""

from typing import Annotated

from fastapi import Depends, Request
from pydantic import Field
from sqlalchemy import select

from services.notifications.tables import practices
from shared.http import CallerDep, RunningDep
from shared.refusals import NotFound


async def own_practice(practice: str, request: Request, caller: CallerDep, service: RunningDep) -> str:
    """The practice in the path. Raises what an unknown practice raises, unless it is the caller's own.

    The trail gets its code only if the practice is known (a caller can write anything) and the caller may know it.
    """
    caller.require_practice(practice)
    async with service.engine.connect() as connection:
        known = select(practices.c.ods_code).where(practices.c.ods_code == practice.replace("\0", " "))
        if await connection.scalar(known) is None:
            raise NotFound("No such practice is registered here", code="unknown-practice", where="practice")
    request.state.practice = practice
    return practice


OwnPractice = Annotated[str, Depends(own_practice)]
"""For the parameter `practice` of a route that is a practice's own, or an operator's."""

Name = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00]*$")]
"""What a person writes, as their own name: PostgreSQL keeps any character but NUL."""
