"""The rules of planning as data: whose claim comes first, which slots may be used, and who may stand in for whom."""

from collections.abc import Mapping
from datetime import timedelta
from functools import cached_property
from typing import Self, get_args

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from shared.events.booking import Channel, KeptFor


class _Rule(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class PriorityClass(_Rule):
    """Patients whose claims weigh the same. `priorities` are R4's: 1 (highest) to 9, and 0 for none given."""

    name: str = Field(min_length=1)
    priorities: tuple[int, ...] = Field(min_length=1)
    longest_wait_days: int | None = Field(default=None, ge=1, le=366)
    """Nobody of this class is given a day later than so many after the lost one: a person decides instead."""
    minimum_notice_hours: int | None = Field(default=None, ge=0, le=24 * 14)
    """For this class, in place of the rule for all."""


class Hub(_Rule):
    """Practices that share capacity: the patients of each may be seen in the free slots of those that share theirs."""

    name: str = Field(min_length=1)
    practices: tuple[str, ...] = Field(min_length=1)
    """ODS codes. A practice is in one hub at most."""
    shared_by: tuple[str, ...] = ()
    """Whose free slots all of them may use, members or not (a hub with a diary of its own); empty: every member's."""


class ExtraSession(_Rule):
    """The session of which a plan says what one more of it would do."""

    slots: int = Field(default=12, ge=1, le=100)
    minutes: int = Field(default=15, ge=1, le=240)


class Continuity(_Rule):
    """How much each change weighs when everything that matters more is equal; 0 leaves it out."""

    practice: int = Field(default=8, ge=0, le=100)
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
    hubs: tuple[Hub, ...] = ()
    extra_session: ExtraSession = ExtraSession()
    fresh_offers: int = Field(default=2, ge=0, le=10)
    """How often a patient who asks for another time is offered one before a person calls."""
    answer_within_hours: int = Field(default=72, ge=1, le=24 * 28)
    """After the move; without an answer by then the new appointment stands."""
    claim_minutes: int = Field(default=20, ge=1, le=240)
    """How long a call that somebody has taken on is theirs."""
    lifetime_minutes: int = Field(default=240, ge=1, le=7 * 24 * 60)
    """How long a plan can be approved."""

    @model_validator(mode="after")
    def _classes_complete(self) -> Self:
        names: set[str] = set()
        left = set(range(10))
        for at, each in enumerate(self.classes):
            if each.name in names:
                raise _wrong(f"two classes are called {each.name}", "classes", at, "name")
            if foreign := [level for level in each.priorities if level not in left]:
                raise _wrong(
                    f"classes must name each priority from 0 to 9 once; {foreign[0]} is none of them, or has its "
                    "class already",
                    "classes",
                    at,
                    "priorities",
                )
            if len(set(each.priorities)) < len(each.priorities):
                raise _wrong("a priority stands there twice", "classes", at, "priorities")
            names.add(each.name)
            left -= set(each.priorities)
        if left:
            missing = ", ".join(map(str, sorted(left)))
            raise _wrong(f"classes must name each priority from 0 to 9 once; none names {missing}", "classes")
        return self

    @model_validator(mode="after")
    def _hubs_apart(self) -> Self:
        """A slot that two hubs could give away would be planned twice."""
        hub_of: dict[str, str] = {}
        for at, hub in enumerate(self.hubs):
            for key, listed in (("practices", hub.practices), ("shared_by", hub.shared_by)):
                for practice in listed:
                    if listed.count(practice) > 1:
                        raise _wrong(f"{practice} stands there twice", "hubs", at, key)
                    if hub_of.setdefault(practice, hub.name) != hub.name:
                        both = f"{hub_of[practice]} and {hub.name}"
                        raise _wrong(f"{practice} is in two hubs, {both}", "hubs", at, key)
            if any(other.name == hub.name for other in self.hubs[:at]):
                raise _wrong(f"two hubs are called {hub.name}", "hubs", at, "name")
        return self

    @model_validator(mode="after")
    def _contract_kept(self) -> Self:
        if "nhs-111" not in self.never_used:
            raise _wrong("never_used must name nhs-111: the GP contract keeps those slots", "never_used")
        if missing := set(get_args(Channel)) - self.channels.keys():
            raise _wrong(f"channels must say what may stand in for {', '.join(sorted(missing))}", "channels")
        return self

    def rank(self, priority: int) -> int:
        """The place of this priority's class; 0 is the highest."""
        return self._ranks[priority]

    @cached_property
    def _ranks(self) -> Mapping[int, int]:
        return {priority: rank for rank, each in enumerate(self.classes) for priority in each.priorities}

    def notice(self, priority_class: PriorityClass) -> timedelta:
        """From the making of the plan to the earliest new appointment of this class."""
        own = priority_class.minimum_notice_hours
        return timedelta(hours=self.minimum_notice_hours if own is None else own)

    def planned_with(self, practice: str) -> tuple[str, ...]:
        """The practices whose patients or slots cannot be planned without this one's: its hub, or itself alone."""
        for hub in self.hubs:
            if practice in hub.practices or practice in hub.shared_by:
                return tuple(sorted({*hub.practices, *hub.shared_by}))
        return (practice,)

    def open_to(self, practice: str) -> frozenset[str]:
        """The practices in whose slots this one's patients may be seen."""
        for hub in self.hubs:
            if practice in hub.practices:
                return frozenset({practice, *(hub.shared_by or hub.practices)})
        return frozenset({practice})


def _wrong(what: str, *where: str | int) -> PydanticCustomError:
    return PydanticCustomError("rules", "{what}", {"what": what, "where": where})
