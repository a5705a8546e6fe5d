"""How seldom a process that remembers much looks for what it can forget."""

import gc

COLLECTED_AFTER = 20_000
"""Containers made and not yet freed, after which the youngest are looked through for cycles (Python's own: 700)."""


def collect_seldom() -> None:
    """What is loaded by now stays, and what a service remembers has no cycles: to look for them costs long pauses."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(COLLECTED_AFTER, 20, 50)
