"""Event types that are written no more, and how what was stored under them is read today.

Both copies of the log keep their bytes for ever, and nobody rewrites them. A meaning that changes gets a new type (the
class's next `revision`, or another name); the old type is listed here, with a pure function from its data to that of
the type that came after it. Several steps make a chain: each is written once, and never touched again.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import msgspec
from msgspec import Raw, Struct

Data = dict[str, Any]
"""An event's `data` as plain JSON has it: an instant is a text."""


class Retired(Struct, frozen=True):
    """A type that was published once: which type its events count as, and their data in its terms."""

    becomes: str
    convert: Callable[[Data], Data]


RETIRED: Mapping[str, Retired] = MappingProxyType({})
"""Every CloudEvents type that was published and is written no more."""


def brought_up_to_date(kind: str, data: Raw, retired: Mapping[str, Retired]) -> tuple[str, Raw]:
    """The type that an event stored under a retired one counts as today, and its data in that type's terms."""
    today: Data = msgspec.json.decode(data)
    while (step := retired.get(kind)) is not None:
        kind, today = step.becomes, step.convert(today)
    return kind, Raw(msgspec.json.encode(today))


def ancestors(kind: str, retired: Mapping[str, Retired]) -> tuple[str, ...]:
    """The retired types whose events count as this one today, the nearest first."""
    direct = [older for older, step in retired.items() if step.becomes == kind]
    return tuple(name for older in direct for name in (older, *ancestors(older, retired)))
