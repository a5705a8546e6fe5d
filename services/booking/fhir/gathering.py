"""Questions that arrive while one is being asked are asked together next: under load, one round trip for dozens."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")

Looked = Callable[[Collection[K]], Awaitable[Mapping[K, V]]]
"""Looks up many keys at once; a key that nothing is known of is absent from what it gives."""


class Gathered(Generic[K, V]):
    """A look-up by key that many callers share. Every answer was looked up after it was asked for."""

    def __init__(self, look_up: Looked[K, V]) -> None:
        self._look_up = look_up
        self._waiting: list[tuple[Collection[K], asyncio.Future[Mapping[K, V]]]] = []
        self._work: asyncio.Task[None] | None = None

    async def find(self, keys: Collection[K]) -> Mapping[K, V]:
        """What is known of these keys, and maybe of others that were asked for with them."""
        answer: asyncio.Future[Mapping[K, V]] = asyncio.get_running_loop().create_future()
        self._waiting.append((keys, answer))
        if self._work is None or self._work.done():
            self._work = asyncio.create_task(self._answer_all())
        return await answer

    async def _answer_all(self) -> None:
        while self._waiting:
            asked, self._waiting = self._waiting, []
            try:
                found = await self._look_up({key for keys, _ in asked for key in keys})
            except Exception as error:
                for _, answer in asked:
                    if not answer.done():
                        answer.set_exception(error)
                continue
            for _, answer in asked:
                if not answer.done():
                    answer.set_result(found)
