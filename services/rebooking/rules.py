"""The rules of planning as data: whose claim comes first, which slots may be used, and who may stand in for whom."""

import tomllib
from collections.abc import Mapping
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from shared.events.booking import Channel, KeptFor
from shared.refusals import Refusal


class _Rule(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class PriorityClass(_Rule):
    """Patients whose claims weigh the same. `priorities` are R4's: 1 (highest) to 9, and 0 for none given."""

    name: str = Field(min_length=1)
    priorities: tuple[int, ...] = Field(min_length=1)


class Continuity(_Rule):
    """How much each change weighs when everything that matters more is equal; 0 leaves it out."""

    clinician: int = Field(default=4, ge=0, le=100)
    channel: int = Field(default=2, ge=0, le=100)
    half_of_day: int = Field(default=1, ge=0, le=100)


class Rules(_Rule):
    """What every plan obeys."""

    classes: tuple[PriorityClass, ...] = (
        *(PriorityClass(name=f"priority {level}", priorities=(level,)) for level in range(1, 10)),
        PriorityClass(name="no priority", priorities=(0,)),
    )
    """From the highest. Nobody gets a slot that a patient of a higher class could have used."""
    minimum_notice_hours: int = Field(default=24, ge=0, le=24 * 14)
    """From the making of the plan to the earliest new appointment."""
    horizon_days: int = Field(default=28, ge=1, le=366)
    never_used: frozenset[KeptFor] = frozenset({"nhs-111", "same-day"})
    """Slots kept for these stay theirs."""
    leave_free_percent: int = Field(default=10, ge=0, le=100)
    """At least so much of each day's free slots at a practice stays free, the last of the day, for whoever rings up."""
    channels: Mapping[Channel, frozenset[Channel]] = {
        "in-person": frozenset({"in-person"}),
        "telephone": frozenset({"telephone", "video"}),
        "video": frozenset({"video", "telephone"}),
        "home": frozenset({"home"}),
    }
    """The channels by which a patient booked for this one may be seen instead."""
    roles: Mapping[str, frozenset[str]] = {}
    """The clinicians who may stand in for this one; the same role always may."""
    continuity: Continuity = Continuity()
    lifetime_minutes: int = Field(default=240, ge=1, le=7 * 24 * 60)
    """How long a plan can be approved."""

    @model_validator(mode="after")
    def _complete(self) -> Self:
        listed = sorted(level for each in self.classes for level in each.priorities)
        if listed != list(range(10)):
            raise ValueError("classes must name each priority from 0 to 9 once")
        if "nhs-111" not in self.never_used:
            raise ValueError("never_used must name nhs-111: the GP contract keeps those slots")
        if missing := {"in-person", "telephone", "video", "home"} - self.channels.keys():
            raise ValueError(f"channels must say what may stand in for {', '.join(sorted(missing))}")
        return self

    def rank(self, priority: int) -> int:
        """The place of this priority's class; 0 is the highest."""
        return next(rank for rank, each in enumerate(self.classes) if priority in each.priorities)


def read_rules(text: str) -> Rules:
    """The rules that a TOML file states; what it leaves out is as by default.

    Raises `Refusal` that names each wrong key, and its line.
    """
    try:
        return Rules.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as malformed:
        raise Refusal(f"The rules are not TOML: {malformed}", code="bad-rules") from None
    except ValidationError as invalid:
        wrong = [(".".join(map(str, error["loc"])), error["msg"]) for error in invalid.errors()]
        complaints = "; ".join(f"{key or 'the whole'}{_line_of(key, text)}: {message}" for key, message in wrong)
        raise Refusal(f"The rules make no sense. {complaints}", code="bad-rules", where=wrong[0][0]) from None


def _line_of(key: str, text: str) -> str:
    """Where the innermost name of the key stands in the file."""
    names = [name for name in reversed(key.split(".")) if name and not name.isdigit()]
    for name in names:
        for number, line in enumerate(text.splitlines(), 1):
            if line.replace('"', "").strip(" [").startswith(name):
                return f" (line {number})"
    return ""
