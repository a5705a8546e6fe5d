"""What the closing report of an outage states, as its readers get it. Nothing in it says who a patient is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from services.rebooking.backlog import Progress


@dataclass(frozen=True, slots=True)
class Lost:
    """What the diary says of a lost appointment. `priority` is R4's: 1 (highest) to 9, and 0 for none given."""

    start: datetime
    priority: int


@dataclass(frozen=True, slots=True)
class Milestones:
    """When things happened, if they have. The outage is closed once nothing is open and nobody is unaccounted for."""

    began_at: datetime
    declared_at: datetime
    ended_at: datetime | None
    first_plan_at: datetime | None
    first_move_at: datetime | None
    last_move_at: datetime | None
    last_answer_at: datetime | None
    closed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Outcomes:
    """What became of the appointments at stake, on the day or since; together they are `at_stake`."""

    at_stake: int
    attended: int
    missed: int
    cancelled: int
    elsewhere: int
    triage: int
    rescheduled: int
    displaced: int
    unaccounted: int


@dataclass(frozen=True, slots=True)
class WithinDays:
    """How many have a new time at most so many working days after the lost one."""

    working_days: int
    appointments: int


@dataclass(frozen=True, slots=True)
class Reason:
    """Why so many have no time yet."""

    reason: str
    appointments: int


@dataclass(frozen=True, slots=True)
class Displaced:
    """The displaced = the `moved` + those `without_time`; the moved = those within the most working days + `later`."""

    appointments: int
    moved: int
    within: Sequence[WithinDays]
    later: int
    without_time: int
    why: Sequence[Reason]


@dataclass(frozen=True, slots=True)
class Answers:
    """Who was told by text, and what became of the moved = kept + another_time + cancel + unanswered + not_yet.

    `fresh_offers` were made to those who had asked for another time.
    """

    told: int
    kept: int
    another_time: int
    cancel: int
    unanswered: int
    not_yet: int
    fresh_offers: int


@dataclass(frozen=True, slots=True)
class Calls:
    """How often a call was needed, of how many it still is, how often somebody telephoned, and whom nobody reached."""

    needed: int
    open: int
    attempts: int
    unreached: int


@dataclass(frozen=True, slots=True)
class Waits:
    """From the lost time to the new one, in days of 24 hours, of those who have one."""

    appointments: int
    median_days: float
    longest_days: float


@dataclass(frozen=True, slots=True)
class OfPriority:
    """The waits of the patients of one priority."""

    priority: int
    waits: Waits


@dataclass(frozen=True, slots=True)
class OfPractice:
    """What became of one practice's appointments. `unaccounted` is known for all practices together only."""

    practice: str
    name: str
    reconciled: int
    displaced: int
    moved: int
    without_time: int
    told: int
    confirmed: int
    unanswered: int
    to_call: int
    unreached: int
    waits: Waits


@dataclass(frozen=True, slots=True)
class Week:
    """A week at one practice, or, if none is named, at all. It begins on a Monday in London.

    `affected` were displaced in it, `rebooked` given their first new time, `contacted` told by text or spoken to for
    the first time. At its end so many were still `open`, and so many had been telephoned and not been reached.
    """

    begins: date
    practice: str
    affected: int
    rebooked: int
    contacted: int
    unreached: int
    open: int


@dataclass(frozen=True, slots=True)
class Sum:
    """One figure counted twice: out of the log, and from `other_side`."""

    what: str
    log: int
    other: int
    other_side: str
    agrees: bool


@dataclass(frozen=True, slots=True)
class Report:
    """All of it. `adds_up` says whether every sum does; where one does not, something is wrong, and it says where."""

    outage: str
    name: str
    kind: str
    as_of: datetime | None
    position: int
    milestones: Milestones
    outcomes: Outcomes
    displaced: Displaced
    answers: Answers
    calls: Calls
    waits: Waits
    waits_by_priority: Sequence[OfPriority]
    practices: Sequence[OfPractice]
    weeks: Sequence[Week]
    weeks_by_practice: Sequence[Week]
    sums: Sequence[Sum]
    adds_up: bool


@dataclass(frozen=True, slots=True)
class Known:
    """What the tables say, of the same moment as the log: the other side of the sums."""

    progress: Progress
    lost: Mapping[str, Lost]
    reasons: Mapping[str, int]
    names: Mapping[str, str]
