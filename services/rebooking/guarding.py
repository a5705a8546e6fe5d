"""Who may ask for what is a practice's: operators, and the practice's own system."""

from typing import Annotated

from fastapi import Depends, Request
from pydantic import Field
from sqlalchemy.ext.asyncio import AsyncConnection

from services.rebooking import views
from shared.http import CallerDep, RunningDep
from shared.refusals import NotFound


async def own_practice(practice: str, request: Request, caller: CallerDep, service: RunningDep) -> str:
    """The practice in the path. Raises what an unknown practice raises, unless it is the caller's own.

    The trail gets its code only if the practice is known (a caller can write anything) and the caller may know it.
    """
    caller.require_practice(practice)
    async with service.engine.connect() as connection:
        # PostgreSQL would not even look for a NUL character.
        if "\0" in practice or await views.practice_name(connection, practice) is None:
            raise NotFound("No such practice is registered here", code="unknown-practice", where="practice")
    request.state.practice = practice
    return practice


OwnPractice = Annotated[str, Depends(own_practice)]
"""For the parameter `practice` of a route that is a practice's own, or an operator's."""


async def outage_at(connection: AsyncConnection, outage: str, practice: str) -> views.Outage:
    """The outage, if it is this practice's. Of any other a practice learns no more than that it is not there."""
    declared = await views.outage_of(connection, outage)
    if practice not in declared.practices:
        raise NotFound("There is no such outage at this practice", code="unknown-outage", where="outage")
    return declared


Name = Annotated[str, Field(max_length=200, pattern=r"^[^\x00]*$")]
"""What a person writes, as their own name: PostgreSQL keeps any character but NUL."""
