"""What texts would come to, before they are sent: how many, in how many segments, at what cost, and how they read."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import PlainSerializer

from services.notifications.content_rules import faults_of_text
from services.notifications.segments import Coding, Size, cost, size

Pence = Annotated[Decimal, PlainSerializer(float, return_type=float)]
"""A number to programs, not a text."""

Untexted = Literal["without_mobile", "opted_out", "erased", "against_rules"]
"""Why somebody is to be telephoned: no mobile number, one that wants no texts, the data was erased, or the text would
break a rule because of a name in it."""


@dataclass(frozen=True, slots=True)
class Proposed:
    """A new time that a patient may be told of. Who that is stays sealed; `to_practice` is empty at their own."""

    appointment: str
    patient: str
    practice: str
    to_practice: str
    to_start: datetime
    sealed: str


@dataclass(frozen=True, slots=True)
class Example:
    """A text as it would read, and what it comes to."""

    text: str
    coding: Coding
    units: int
    segments: int


@dataclass(frozen=True, slots=True)
class Preview:
    """What texts would come to: `by_segments` is how many of them take so many, `price_pence` what one segment costs.

    The cost is without VAT. Those who are not texted are to be telephoned, and why. `typical` is as long as most.
    """

    messages: int
    segments: int
    by_segments: Mapping[int, int]
    ucs2: int
    price_pence: Pence
    cost_pence: Pence
    without_mobile: int
    opted_out: int
    erased: int
    against_rules: int
    longest: Example | None
    typical: Example | None


@dataclass(slots=True)
class Tally:
    """Texts counted one by one."""

    written: list[tuple[Size, str]] = field(default_factory=list)
    untexted: Counter[Untexted] = field(default_factory=Counter)

    def add(self, text: str) -> None:
        """This text would be sent, unless it breaks a rule."""
        its = size(text)
        if faults_of_text(text, its):
            self.untexted["against_rules"] += 1
        else:
            self.written.append((its, text))

    def preview(self, price: Decimal) -> Preview:
        """All that was counted, where one segment costs `price` pence."""
        ordered = sorted(self.written, key=lambda each: (each[0].segments, each[0].units, each[1]))
        by_segments = Counter(its.segments for its, _ in ordered)
        segments = sum(number * parts for parts, number in by_segments.items())
        return Preview(
            messages=len(ordered),
            segments=segments,
            by_segments=dict(sorted(by_segments.items())),
            ucs2=sum(its.coding == "ucs-2" for its, _ in ordered),
            price_pence=price,
            cost_pence=cost(segments, price),
            without_mobile=self.untexted["without_mobile"],
            opted_out=self.untexted["opted_out"],
            erased=self.untexted["erased"],
            against_rules=self.untexted["against_rules"],
            longest=_example(*ordered[-1]) if ordered else None,
            typical=_example(*ordered[len(ordered) // 2]) if ordered else None,
        )


def _example(its: Size, text: str) -> Example:
    return Example(text, its.coding, its.units, its.segments)
