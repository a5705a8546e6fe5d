"""How another process speaks to the supervisor: one JSON line over a Unix socket that only its owner can open."""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct

from shared.refusals import Refusal, Unavailable

State = Literal["stopped", "starting", "up", "died"]


class ChildView(Struct, frozen=True, kw_only=True):
    """One process as it stands."""

    name: str
    state: State
    address: str
    pid: int | None
    restarts: int
    log: str


class Request(Struct, frozen=True, kw_only=True):
    """What to do, and to which process."""

    do: Literal["show", "stop", "start"]
    child: str = ""


class Answer(Struct, frozen=True, kw_only=True):
    """All processes afterwards, or why not."""

    children: tuple[ChildView, ...] = ()
    refused: str = ""


Handler = Callable[[Request], Awaitable[tuple[ChildView, ...]]]


@asynccontextmanager
async def listening(handle: Handler) -> AsyncIterator[str]:
    """Answer requests meanwhile; gives the socket's path. It is in a short one, because sockets' paths must be."""
    directory = Path(tempfile.mkdtemp(prefix="daybook-"))

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if line := await reader.readline():
                writer.write(msgspec.json.encode(await _answer(handle, line)) + b"\n")
                await writer.drain()
        finally:
            writer.close()

    try:
        server = await asyncio.start_unix_server(converse, str(directory / "control"))
        async with server:
            yield str(directory / "control")
    finally:
        shutil.rmtree(directory, ignore_errors=True)


async def ask(path: str, request: Request) -> tuple[ChildView, ...]:
    """Have the supervisor do it, and wait until it is done."""
    try:
        reader, writer = await asyncio.open_unix_connection(path)
        try:
            writer.write(msgspec.json.encode(request) + b"\n")
            answer = msgspec.json.decode(await reader.readline(), type=Answer)
        finally:
            writer.close()
    except (OSError, msgspec.DecodeError) as problem:
        raise Unavailable(f"`daybook up` does not answer: {problem}", code="supervisor-gone") from None
    if answer.refused:
        raise Unavailable(answer.refused, code="supervisor-refused")
    return answer.children


async def _answer(handle: Handler, line: bytes) -> Answer:
    try:
        return Answer(children=await handle(msgspec.json.decode(line, type=Request)))
    except (Refusal, msgspec.DecodeError) as problem:
        return Answer(refused=str(problem))
