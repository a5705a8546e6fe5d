"""The way to the broker carries everything while nothing is wrong, and goes wrong as it is told to."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest

from services.operator.embedded import HOST, free_ports
from tests.chaos.crossing import Crossing, crossing

Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]
SOON, NOT_YET = 5.0, 0.1


async def test_what_is_held_back_arrives_when_the_way_is_open_again() -> None:
    async with a_way() as (way, (reader, writer)):
        way.cut_off("drop")
        writer.write(b"one\n")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(reader.readline(), NOT_YET)
        way.cut_off(None)
        assert await asyncio.wait_for(reader.readline(), SOON) == b"one\n"


async def test_the_deaf_are_heard_and_do_not_hear() -> None:
    heard: list[bytes] = []
    async with a_way(heard) as (way, (reader, writer)):
        way.cut_off("deaf")
        writer.write(b"one\n")
        async with asyncio.timeout(SOON):
            while heard != [b"one\n"]:  # noqa: ASYNC110 (what is heard has no event)
                await asyncio.sleep(0.01)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(reader.readline(), NOT_YET)


async def test_a_reset_ends_connections_and_those_that_come_meanwhile() -> None:
    async with a_way() as (way, (reader, _)):
        way.cut_off("reset")
        with pytest.raises(ConnectionResetError):
            await asyncio.wait_for(reader.readexactly(1), SOON)
        again, writer = await asyncio.open_connection(HOST, way.port)
        with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
            await asyncio.wait_for(again.readexactly(1), SOON)
        await hang_up(writer)


@asynccontextmanager
async def a_way(heard: list[bytes] | None = None) -> AsyncIterator[tuple[Crossing, Connection]]:
    """A way to an echo, and a connection that has been over it once."""
    to_port, port = free_ports(2)

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionResetError):
            while line := await reader.readline():
                if heard is not None and line != b"hello\n":
                    heard.append(line)
                writer.write(line)
        await hang_up(writer)

    async with await asyncio.start_server(echo, HOST, to_port), crossing(to_port, port) as way:
        reader, writer = await asyncio.open_connection(HOST, port)
        writer.write(b"hello\n")
        assert await asyncio.wait_for(reader.readline(), SOON) == b"hello\n"
        yield way, (reader, writer)
        await hang_up(writer)


async def hang_up(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()
