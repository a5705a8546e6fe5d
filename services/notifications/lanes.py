"""Which message goes before which: answers before news of an appointment, and news before reminders."""

from collections.abc import Mapping

from shared.events.notifications import MessageKind

LANE: Mapping[MessageKind, int] = {"kept": 0, "asked": 0, "cancelled": 0, "moved": 1, "reminder-1": 2, "reminder-3": 3}
"""The lower goes first; within a lane the soonest appointment, so that news for today goes before news for later."""

LANES: Mapping[int, str] = {0: "confirmations", 1: "moved", 2: "reminder-1", 3: "reminder-3"}
"""What people call them."""

FEWEST, MOST = 16, 500


def together(rate: float) -> int:
    """How many messages are taken up at a time: about a second's worth, for they go ahead of whatever comes next."""
    return min(MOST, max(FEWEST, round(rate)))
