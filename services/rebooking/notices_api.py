"""Requests of operators to see whom a plan would move, so that what they would be told can be previewed."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from services.rebooking import views
from services.rebooking.notices import Notices, notices
from shared.http import OperatorOnly, RunningDep
from shared.refusals import NotFound

MOST = 5000

router = APIRouter(prefix="/v1/outages", tags=["plans"], dependencies=[OperatorOnly])


@router.get("/{outage}/plan/notices")
async def list_notices(
    outage: str,
    service: RunningDep,
    response: Response,
    practice: str = "",
    after: Annotated[
        str, Query(pattern=r"^([^/\x00]+/[^\x00]+)?$", description="What the page before ended with.")
    ] = "",
    limit: Annotated[int, Query(ge=1, le=MOST)] = 1000,
) -> Notices:
    """Whom the plan would move, and to when: proposed and not approved, or approved and not moved yet."""
    response.headers["Cache-Control"] = "no-store"
    async with service.engine.connect() as connection:
        declared = await views.outage_of(connection, outage)
        if practice and practice not in declared.practices:
            raise NotFound("This practice is not part of the outage", code="unknown-practice", where="practice")
        return await notices(connection, outage, practice, after, limit, service.clock.now())
