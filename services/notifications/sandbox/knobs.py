"""What the sandbox can be told to do badly."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from shared.refusals import Refusal

Count = Annotated[int, Meta(ge=-1)]
"""How many of the next requests it concerns; -1 for all from now on."""
Milliseconds = Annotated[int, Meta(ge=0, le=600_000)]


class Knobs(Struct, frozen=True, forbid_unknown_fields=True):
    """All at rest, unless told otherwise."""

    fail: Count = 0
    """Answer 500 and accept nothing."""
    refuse: Count = 0
    """Answer 400, as for a number that Notify will not text."""
    limit: Count = 0
    """Answer 429."""
    drop_answer: Count = 0
    """Accept, and never answer."""
    drop: Count = 0
    """Accept and answer, and never deliver."""
    delay_ms: Milliseconds = 0
    """Wait so long before accepting."""
    receipts: Literal["on", "off", "late", "doubled"] = "on"
    late_ms: Milliseconds = 2000
    """How late a late receipt is."""


Fault = Literal["fail", "refuse", "limit", "drop_answer", "drop"]


class Panel:
    """The knobs as they stand."""

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
