"""Turns: about one telephone one thing at a time, and nothing is kept of those that nobody waits for."""

import asyncio
import gc

from services.notifications.turns import Turns


async def test_whoever_comes_second_waits_for_the_first_and_nobody_else_does() -> None:
    turns, done = Turns(), list[str]()

    async def take(name: str, what: str) -> None:
        async with turns.of(name):
            await asyncio.sleep(0)
            done.append(what)

    async with turns.of("a number"):
        second = asyncio.create_task(take("a number", "second"))
        await asyncio.create_task(take("another", "at once"))
        done.append("first")
    await second
    assert done == ["at once", "first", "second"]


async def test_a_turn_that_is_over_leaves_nothing_behind() -> None:
    turns = Turns()
    async with turns.of("a number"):
        assert list(turns._locks) == ["a number"]
    gc.collect()
    assert not turns._locks


def test_each_running_service_has_turns_of_its_own() -> None:
    one, another = Turns(), Turns()
    assert one.of("a number") is not another.of("a number")
