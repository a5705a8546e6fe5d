"""Two pieces of work at a time, in order; the first fault ends the others, and nobody has to look for it in a group."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from shared.lanes import in_lanes


async def test_two_are_done_at_a_time_begun_in_their_order() -> None:
    going: set[int] = set()
    seen: list[set[int]] = []

    def piece(number: int) -> Callable[[], Awaitable[None]]:
        async def work() -> None:
            going.add(number)
            seen.append(set(going))
            await asyncio.sleep(0)
            going.remove(number)

        return work

    await in_lanes(map(piece, range(4)))

    assert seen == [{0}, {0, 1}, {1, 2}, {2, 3}]


async def test_a_fault_ends_what_else_is_going_on_begins_nothing_more_and_is_raised_as_it_is() -> None:
    ended: list[str] = []

    async def for_ever() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("the other")

    async def fail() -> None:
        raise LookupError("no such table")

    async def never() -> None:
        ended.append("one that was never due")

    with pytest.raises(LookupError, match="no such table"):
        await in_lanes([for_ever, fail, never])

    assert ended == ["the other"]
