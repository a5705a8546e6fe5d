"""The NATS client, made fit for messages by the thousand: read straight off the wire, written onto it in one go.

The library parses every header of every message, wakes a task for it, and sends each message by itself. That is nothing
for one, and most of a follower's work when a county is moved.
"""

import re
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, NamedTuple

import nats.aio.client
from msgspec import Struct
from nats.errors import BadSubjectError, OutboundBufferLimitError
from nats.protocol.parser import Parser

_END = b"\r\n"
_OF_STREAM = re.compile(rb"HMSG (\S+) (\S+) (\S+) (\d+) (\d+)\r\n")
"""What goes before nearly all that comes by the thousand; found at once, it need not be taken apart word by word."""


class Arrived(Struct, frozen=True, gc=False):
    """A message as it came. `headers` are the bytes, from `NATS/1.0` on."""

    subject: bytes
    reply: bytes
    headers: bytes
    body: bytes

    @property
    def status(self) -> bytes:
        """Empty for a message; for a notice of the server its code, as 100 for a heartbeat."""
        return self.headers[9:12] if self.headers[8:9] == b" " else b""

    def header(self, name: str) -> str:
        """The value of this header, or nothing."""
        return self.headers.partition(b"\r\n%b: " % name.encode())[2].partition(_END)[0].decode()


class Outgoing(NamedTuple):
    """A message to be sent. `headers` are whole lines."""

    subject: str
    headers: str
    body: bytes


Sink = Callable[[Arrived], None]


class Client(nats.aio.client.Client):
    """The library's client, which can be tapped."""

    def __init__(self) -> None:
        super().__init__()
        self._sinks: dict[bytes, Sink] = {}
        self._ps = Splitter(self, self._sinks)

    async def tap(self, subject: str, sink: Sink) -> Callable[[], Awaitable[None]]:
        """Whatever comes on this subject goes into the sink, at once. Call what is returned to end that."""
        subscription = await self.subscribe(subject, cb=_nowhere)
        number = str(subscription._id).encode()
        self._sinks[number] = sink

        async def end() -> None:
            del self._sinks[number]
            await subscription.unsubscribe()

        return end

    async def publish_all(self, messages: Sequence[Outgoing]) -> None:
        """Send these messages, in order. Raises as `publish` does."""
        if not self.is_connected:
            raise OutboundBufferLimitError
        await self._send_command(b"".join(map(_command, messages)))
        await self._flush_pending()


async def _nowhere(_: Any) -> None:
    """A subscription that is tapped hears nothing itself."""


def _command(message: Outgoing) -> bytes:
    subject, lines, body = message
    if " " in subject or not subject.isprintable():
        raise BadSubjectError
    headers = f"NATS/1.0\r\n{lines}\r\n".encode()
    return b"HPUB %b %d %d\r\n%b%b\r\n" % (subject.encode(), len(headers), len(headers) + len(body), headers, body)


class Splitter(Parser):
    """Takes what the server sends apart: messages of tapped subscriptions go into their sinks, the rest is parsed."""

    def __init__(self, client: Any, sinks: dict[bytes, Sink]) -> None:
        super().__init__(client)
        self._sinks = sinks

    def reset(self) -> None:
        """Forget what has come so far: the connection is a new one."""
        super().reset()
        self._come = bytearray()
        self._awaited = 0

    async def parse(self, data: bytes = b"") -> None:
        """Deal with all that has come completely."""
        self._come += data
        if len(self._come) < self._awaited:
            return
        come, at, self._awaited = bytes(self._come), 0, 0
        while True:
            if line := _OF_STREAM.match(come, at):
                subject, number, reply, headed, whole = line.groups()
                begin = line.end()
                middle, stop = begin + int(headed), begin + int(whole)
                if stop + 2 <= len(come) and (sink := self._sinks.get(number)):
                    sink(Arrived(subject, reply, come[begin:middle], come[middle:stop]))
                    at = stop + 2
                    continue
            if (end := come.find(_END, at)) < 0:
                break
            words, begin = come[at:end].split(), end + len(_END)
            stop = begin + _announced(words)
            if len(come) < stop:
                self._awaited = stop - at
                break
            if stop > begin and (sink := self._sinks.get(words[2])):
                sink(_arrived(words, come[begin:stop]))
            else:
                await super().parse(come[at:stop])
            at = stop
        self._come = bytearray(come[at:])


def _announced(words: list[bytes]) -> int:
    """How many bytes follow this line: `[H]MSG subject subscription [reply] [bytes of headers] bytes in all`."""
    return int(words[-1]) + len(_END) if words[:1] in ([b"HMSG"], [b"MSG"]) else 0


def _arrived(words: list[bytes], after: bytes) -> Arrived:
    sizes = 2 if words[0] == b"HMSG" else 1
    headed = int(words[-2]) if sizes == 2 else 0
    return Arrived(words[1], b"".join(words[3:-sizes]), after[:headed], after[headed : -len(_END)])
