"""What one service tells of an appointment: its own events about it, in words that name no patient."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from shared.clock import in_london
from shared.events.envelope import Recorded


@dataclass(frozen=True, slots=True)
class Told:
    """One event in words. `at` is when it was recorded, `causation` the id of the event that it came of, if any."""

    service: str
    position: int
    id: str
    type: str
    practice: str
    at: datetime
    occurred_at: datetime
    causation: str
    words: str


@dataclass(frozen=True, slots=True)
class Story:
    """What a service knows. `appointments` are all that it is about: the one asked for, and those moved from and to."""

    appointments: Sequence[str]
    events: Sequence[Told]


def told(recorded: Recorded, words: str) -> Told:
    """This event, in these words."""
    return Told(
        service=recorded.service,
        position=recorded.position,
        id=recorded.id,
        type=recorded.type,
        practice=recorded.practice,
        at=recorded.recorded_at,
        occurred_at=recorded.occurred_at,
        causation=recorded.causation_id,
        words=words,
    )


def day_and_time(instant: datetime) -> str:
    """Tue 23 July 2024, 9:20am, as the NHS writes it and a clock in London shows it."""
    there = in_london(instant)
    return f"{there:%a %-d %B %Y}, {there:%-I:%M}{there:%p}".replace("AM", "am").replace("PM", "pm")
