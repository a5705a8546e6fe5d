"""Messages come off the wire as they were sent, however the network cuts them, and each goes to whom it is for."""

import asyncio
from itertools import pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from shared.broker import connect
from shared.wire import Arrived, Outgoing, Splitter
from tests.harness import County
from tests.waiting import DEADLINE

HEADERS = b"NATS/1.0\r\nNats-Msg-Id: event-1\r\nNats-Subject: daybook.booking.G1\r\n\r\n"
BODY = b"body\r\nin two lines"
SENT = (
    b"HMSG _INBOX.a 7 $JS.ACK.1 %d %d\r\n%b%b\r\n" % (len(HEADERS), len(HEADERS) + len(BODY), HEADERS, BODY),
    b"PING\r\n",
    b"MSG elsewhere 8 5\r\nother\r\n",
    b"MSG _INBOX.a 7 6\r\nHMSG\r\n\r\n",
    b"HMSG _INBOX.a 7 16 16\r\nNATS/1.0 100\r\n\r\n\r\n",
    b"+OK\r\n",
)


class Library:
    """Stands in for the client that the library's own parser calls."""

    def __init__(self) -> None:
        self.heard: list[Any] = []

    async def _process_ping(self) -> None:
        self.heard.append("ping")

    async def _process_msg(self, number: int, subject: bytes, reply: bytes, body: bytes, headers: bytes) -> None:
        self.heard.append((number, body))


@given(cuts=st.lists(st.integers(0, sum(map(len, SENT)))))
def test_however_the_bytes_are_cut_every_message_arrives_once_and_whole(cuts: list[int]) -> None:
    tapped: list[Arrived] = []
    library, sent = Library(), b"".join(SENT)
    splitter = Splitter(library, {b"7": tapped.append})
    places = [0, *sorted(cuts), len(sent)]

    async def receive() -> None:
        for start, end in pairwise(places):
            await splitter.parse(sent[start:end])

    asyncio.run(receive())

    assert tapped == [
        Arrived(b"_INBOX.a", b"$JS.ACK.1", HEADERS, BODY),
        Arrived(b"_INBOX.a", b"", b"", b"HMSG\r\n"),
        Arrived(b"_INBOX.a", b"", b"NATS/1.0 100\r\n\r\n", b""),
    ]
    assert [each.status for each in tapped] == [b"", b"", b"100"]
    assert tapped[0].header("Nats-Subject") == "daybook.booking.G1"
    assert library.heard == ["ping", (8, b"other")]


async def test_what_is_sent_in_one_go_arrives_in_order_and_ends_with_the_tap(county: County) -> None:
    client = await connect(county.servers.nats.url("operator"), "operator")
    arrived: asyncio.Queue[Arrived] = asyncio.Queue()
    inbox = client.new_inbox()
    untap = await client.tap(inbox, arrived.put_nowait)

    await client.publish_all([Outgoing(inbox, f"Number: {number}\r\n", b"body") for number in range(500)])

    async with asyncio.timeout(DEADLINE):
        heard = [await arrived.get() for _ in range(500)]
    assert [each.header("Number") for each in heard] == [str(number) for number in range(500)]
    await untap()
    await client.publish(inbox, b"unheard")
    await client.flush()
    assert arrived.empty()
    await client.close()
