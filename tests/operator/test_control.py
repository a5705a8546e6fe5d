"""How other processes speak to the supervisor."""

import stat
from pathlib import Path

import pytest

from services.operator.control import ChildView, Request, ask, listening
from shared.refusals import NotFound, Unavailable

VIEW = ChildView(name="booking", state="up", address="here", pid=1, restarts=0, log="a")


async def obedient(request: Request) -> tuple[ChildView, ...]:
    if request.child not in ("booking", ""):
        raise NotFound(f"there is no {request.child}", code="no-such-process")
    return (VIEW,)


async def test_a_request_is_answered_with_all_processes() -> None:
    async with listening(obedient) as path:
        assert await ask(path, Request(do="stop", child="booking")) == (VIEW,)


async def test_a_refusal_reaches_who_asked() -> None:
    async with listening(obedient) as path:
        with pytest.raises(Unavailable, match="there is no cat"):
            await ask(path, Request(do="stop", child="cat"))


async def test_nobody_else_on_the_machine_can_reach_the_socket() -> None:
    async with listening(obedient) as path:
        assert stat.S_IMODE(Path(path).parent.stat().st_mode) == 0o700


async def test_a_supervisor_that_has_gone_is_said_to_have_gone() -> None:
    async with listening(obedient) as path:
        pass
    with pytest.raises(Unavailable, match="does not answer"):
        await ask(path, Request(do="show"))
