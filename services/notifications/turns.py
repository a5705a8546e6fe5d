"""One thing at a time within a running service: about the same telephone, or the same reply."""

import asyncio
from typing import Annotated
from weakref import WeakValueDictionary

from fastapi import Depends, Request


class Turns:
    """Whose turn it is. A lock lasts as long as somebody has it or waits for it."""

    def __init__(self) -> None:
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def of(self, name: str) -> asyncio.Lock:
        """What to hold meanwhile. Whoever comes next sees what was recorded before."""
        return self._locks.setdefault(name, asyncio.Lock())


async def turns(request: Request) -> Turns:
    """Those of the service this request has come to."""
    found: Turns = request.app.state.turns
    return found


TurnsDep = Annotated[Turns, Depends(turns)]
