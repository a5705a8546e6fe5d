"""One thing at a time within this process: about the same telephone, or the same reply."""

import asyncio
from weakref import WeakValueDictionary

_TURNS: "WeakValueDictionary[str, asyncio.Lock]" = WeakValueDictionary()
"""A lock lasts as long as somebody has it or waits for it."""


def turn_of(name: str) -> asyncio.Lock:
    """What to hold meanwhile. Whoever comes next sees what was recorded before."""
    return _TURNS.setdefault(name, asyncio.Lock())
