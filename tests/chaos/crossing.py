"""The way between the services and the broker: a small proxy that drops, delays, goes silent on one side, or resets."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from services.operator.embedded import HOST
from tests.chaos.schedule import How

_CHUNK = 65536
_AT_ONCE = struct.pack("ii", 1, 0)
_LATE = 0.4
"""Seconds by which each piece comes late while the way is slow."""


@dataclass(slots=True)
class Crossing:
    """Connections to the broker's port, through ours. `how` is what is wrong now, if anything."""

    to_port: int
    port: int = 0
    how: How | None = None
    _streams: set[asyncio.StreamWriter] = field(default_factory=set)
    _changed: asyncio.Event = field(default_factory=asyncio.Event)
    _crossed: "set[asyncio.Task[None] | None]" = field(default_factory=set)

    def cut_off(self, how: How | None) -> None:
        """From now on. What was held back while nothing passed goes on its way when something does."""
        self.how = how
        if how == "reset":
            self._tear()
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, until either side ends it."""
        self._crossed.add(asyncio.current_task())
        try:
            to_reader, to_writer = await asyncio.open_connection(HOST, self.to_port)
        except OSError:
            writer.transport.abort()
            return
        self._streams |= {writer, to_writer}
        if self.how == "reset":
            self._tear()
        ways = [
            asyncio.create_task(self._carry(reader, to_writer, towards_broker=True)),
            asyncio.create_task(self._carry(to_reader, writer, towards_broker=False)),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            self._streams -= {writer, to_writer}
            for each in (writer, to_writer):
                each.transport.abort()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, towards_broker: bool) -> None:
        with suppress(OSError):
            while piece := await reader.read(_CHUNK):
                while self._is_shut(towards_broker):
                    await self._changed.wait()
                if self.how == "delay":
                    await asyncio.sleep(_LATE)
                writer.write(piece)
                await writer.drain()

    def _is_shut(self, towards_broker: bool) -> bool:
        return self.how == "drop" or self.how == ("mute" if towards_broker else "deaf")

    async def close(self) -> None:
        """Every connection is over."""
        self.cut_off("reset")
        await asyncio.gather(*filter(None, self._crossed), return_exceptions=True)

    def _tear(self) -> None:
        for stream in self._streams:
            # Without lingering the other side is sent RST, not FIN.
            with suppress(OSError):
                stream.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
            stream.transport.abort()


@asynccontextmanager
async def crossing(to_port: int, port: int) -> AsyncIterator[Crossing]:
    """Listens on the port until the block ends."""
    way = Crossing(to_port, port)
    server = await asyncio.start_server(way.take, HOST, port)
    try:
        yield way
    finally:
        server.close()
        await way.close()
