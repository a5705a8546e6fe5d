"""What routes ask for by their parameters: the service at work, and who asks."""

from typing import Annotated

from fastapi import Depends, Request

from shared.access import Caller, TokenRefused
from shared.service import Running


async def running(request: Request) -> Running:
    """The service this request has come to. (A dependency that is not async would run in another thread.)"""
    found: Running = request.app.state.running
    return found


RunningDep = Annotated[Running, Depends(running)]


async def caller(request: Request) -> Caller:
    """Who asks. Raises `TokenRefused` on a path that the gate leaves open, where nobody need say."""
    found: Caller | None = getattr(request.state, "caller", None)
    if found is None:
        raise TokenRefused("This needs a token", code="no-token")
    return found


CallerDep = Annotated[Caller, Depends(caller)]


async def operator(asking: CallerDep) -> None:
    """Raises `Forbidden` unless an operator asks."""
    asking.require_operator()


OperatorOnly = Depends(operator)
"""For routers whose every route is an operator's: `APIRouter(dependencies=[OperatorOnly])`."""
