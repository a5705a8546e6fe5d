"""What the sandbox can be told to do badly, for either provider."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from shared.refusals import Refusal

Count = Annotated[int, Meta(ge=-1)]
"""How many of the next requests it concerns; -1 for all from now on."""
Milliseconds = Annotated[int, Meta(ge=0, le=600_000)]
Rate = Annotated[int, Meta(ge=0, le=1_000_000)]


class Knobs(Struct, frozen=True, forbid_unknown_fields=True):
    """All at rest, unless told otherwise."""

    down: bool = False
    """Answer 503 to everything, look-ups as well, and accept nothing."""
    fail: Count = 0
    """Answer 500 and accept nothing."""
    fail_after: Count = 0
    """Accept, and answer 500."""
    refuse: Count = 0
    """Answer 400, as for a number that the provider will not text."""
    limit: Count = 0
    """Answer 429."""
    per_minute: Rate = 0
    """Answer 429 to what is faster than so many a minute, by Notify's token bucket; 0 for no limit."""
    per_day: Rate = 0
    """Answer 429 to what is more than so many a day in UTC; 0 for no limit."""
    speed: Annotated[float, Meta(gt=0, le=100_000)] = 1.0
    """How much faster than the real one the clock of `per_minute` runs."""
    drop_answer: Count = 0
    """Accept, and never answer."""
    die: Count = 0
    """Accept, and die before answering, as by kill -9."""
    die_half: Count = 0
    """Accept, and die when half the answer is on the wire."""
    drop: Count = 0
    """Accept and answer, and never deliver."""
    delay_ms: Milliseconds = 0
    """Wait so long before accepting."""
    receipts: Literal["on", "off", "late", "doubled", "reordered"] = "on"
    """`reordered`: the last one comes first."""
    late_ms: Milliseconds = 2000
    """How late a late receipt is."""
    replies: Literal["on", "doubled", "twice"] = "on"
    """`doubled`: each is brought twice under the same id; `twice`: under two."""
    skew_s: Annotated[int, Meta(ge=-86_400, le=86_400)] = 0
    """How many seconds the provider's clock is ahead."""


Fault = Literal["fail", "fail_after", "refuse", "limit", "drop_answer", "die", "die_half", "drop"]


class Panel:
    """The knobs of one provider as they stand."""

    def __init__(self) -> None:
        self.knobs = Knobs()

    def turn(self, changes: Mapping[str, Any]) -> Knobs:
        """Turn some, leave the others. Raises `Refusal` for one that does not exist or cannot stand so."""
        try:
            self.knobs = msgspec.convert(msgspec.structs.asdict(self.knobs) | dict(changes), Knobs, strict=False)
        except msgspec.ValidationError as wrong:
            raise Refusal(f"No such setting of the knobs: {wrong}", code="invalid-knobs", where="body") from None
        return self.knobs

    def take(self, fault: Fault) -> bool:
        """Whether this fault befalls the present request; one fewer is left then."""
        left: int = getattr(self.knobs, fault)
        if left > 0:
            self.knobs = msgspec.structs.replace(self.knobs, **{fault: left - 1})
        return left != 0
