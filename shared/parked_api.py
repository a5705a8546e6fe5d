"""The routes of the worklist that every service has: events that it could not fold."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel, ConfigDict, Field

from shared.dependencies import OperatorOnly, RunningDep
from shared.worklist import Parked, Released, read_parked, retry, skip

router = APIRouter(prefix="/v1/parked", tags=["parked"], dependencies=[OperatorOnly])

_Text = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00]*$")]
_Id = Annotated[str, Path(max_length=200, pattern=r"^[^\x00]*$")]


class RetryForm(BaseModel):
    """Who tries again."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)
    by: _Text


class SkipForm(RetryForm):
    """Who answers for leaving it out, and why it may be. Name no patient."""

    reason: _Text


@router.get("")
async def parked(service: RunningDep) -> Sequence[Parked]:
    """The events that this service could not fold: those that wait, stream by stream, and those that were skipped."""
    async with service.engine.connect() as connection:
        return await read_parked(connection)


@router.post("/{event}/retry")
async def retry_event(event: _Id, body: RetryForm, service: RunningDep) -> Released:
    """Fold the event, and those that wait behind it, and do what follows from them."""
    return await retry(service, event, body.by)


@router.post("/{event}/skip")
async def skip_event(event: _Id, body: SkipForm, service: RunningDep) -> Released:
    """Leave the event out for good, in every rebuild too, and fold those that wait behind it."""
    return await skip(service, event, body.by, body.reason)
