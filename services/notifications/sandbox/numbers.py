"""Telephone numbers: which can be texted, and which of the made-up ones have a fate of their own."""

import re
from collections.abc import Mapping

from services.notifications.sandbox.journal import Status

FATES: Mapping[str, Status] = {"+447700900002": "permanent-failure", "+447700900003": "temporary-failure"}
"""Notify's magic numbers, good for either provider. To every other number, 07700 900001 among them, texts arrive."""

SMOKE = frozenset({"+447700900000", "+447700900111", "+447700900222"})
"""Notify's smoke numbers: what is sent there is answered for like any other, and not kept."""

_UK_MOBILE = re.compile(r"(?:\+44|0044|44|0)(7\d{9})")
_BESIDES_DIGITS = re.compile(r"[\s()\-]")


def uk_mobile(written: str) -> str | None:
    """The number in E.164, however it was written; None if it is no UK mobile."""
    match = _UK_MOBILE.fullmatch(_BESIDES_DIGITS.sub("", written))
    return f"+44{match[1]}" if match else None


def fate(phone: str) -> Status:
    """What becomes of every text to this number."""
    return FATES.get(phone, "delivered")
