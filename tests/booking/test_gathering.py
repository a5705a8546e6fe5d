"""Questions that arrive together are asked together, and each asker gets an answer of their own."""

import asyncio
from collections.abc import Collection, Mapping

import pytest

from services.booking.fhir.gathering import Gathered


class Library:
    """Looks up the length of words, and remembers how often it was asked."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []
        self.entered = asyncio.Event()
        self.open = asyncio.Event()

    async def look_up(self, words: Collection[str]) -> Mapping[str, int]:
        self.asked.append(sorted(words))
        self.entered.set()
        await self.open.wait()
        if "bad" in words:
            raise LookupError("no such word")
        return {word: len(word) for word in words}


async def test_those_who_come_while_one_is_asked_are_asked_for_together() -> None:
    library = Library()
    lengths = Gathered(library.look_up)
    first = asyncio.create_task(lengths.find(["a"]))
    await library.entered.wait()
    others = [asyncio.create_task(lengths.find([word])) for word in ("bb", "ccc", "bb")]
    await asyncio.sleep(0)
    library.open.set()
    assert (await first)["a"] == 1
    assert [(await other)[word] for other, word in zip(others, ("bb", "ccc", "bb"), strict=True)] == [2, 3, 2]
    assert library.asked == [["a"], ["bb", "ccc"]]


async def test_a_fault_is_told_to_those_who_asked_and_to_nobody_after() -> None:
    library = Library()
    library.open.set()
    lengths = Gathered(library.look_up)
    with pytest.raises(LookupError):
        await lengths.find(["bad"])
    assert await lengths.find(["good"]) == {"good": 4}


async def test_one_who_hangs_up_takes_nobody_along() -> None:
    library = Library()
    lengths = Gathered(library.look_up)
    gone, stays = (asyncio.create_task(lengths.find([word])) for word in ("a", "bb"))
    await library.entered.wait()
    gone.cancel()
    library.open.set()
    assert (await stays)["bb"] == 2
