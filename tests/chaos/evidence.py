"""What the checker is given, and what it finds: the log, what clients saw, and the gateway's own journal."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from services.notifications.sandbox.journal import Entry
from shared.events.envelope import Recorded
from tests.chaos.effects import effects
from tests.chaos.history import History


@dataclass(frozen=True, slots=True)
class Violation:
    """A promise that was broken: which, in words, and the events that show it."""

    promise: str
    words: str
    events: Sequence[Recorded] = ()

    def __str__(self) -> str:
        return "\n".join([f"{self.promise}: {self.words}", *(f"    {in_words(each)}" for each in self.events)])


@dataclass(frozen=True)
class Evidence:
    """The log of all services in the order of the stream; `before` is how far each reached when the clients began.

    `descriptions` are, by event, the texts that amendments sealed.
    """

    log: Sequence[Recorded]
    history: History
    journal: Sequence[Entry] = ()
    before: Mapping[str, int] = field(default_factory=dict)
    descriptions: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def effects(self) -> Mapping[str, list[Recorded]]:
        return effects(self.log, self.descriptions)

    @cached_property
    def by_id(self) -> Mapping[str, Recorded]:
        return {recorded.id: recorded for recorded in self.log}

    @cached_property
    def place(self) -> Mapping[str, int]:
        """Where each event, by id, stands in the stream."""
        return {recorded.id: place for place, recorded in enumerate(self.log)}

    def around(self, recorded: Recorded, most: int = 4) -> Sequence[Recorded]:
        """The event, and those next to it in its own stream."""
        of_stream = [each for each in self.log if each.stream == recorded.stream]
        at = next(place for place, each in enumerate(of_stream) if each.id == recorded.id)
        return of_stream[max(at - most, 0) : at + most + 1]


def in_words(recorded: Recorded) -> str:
    """Where an event stands, and what it says, but for what is sealed."""
    event = recorded.event
    said = {name: getattr(event, name) for name in event.__struct_fields__ if name not in _SEALED}
    told = ", ".join(f"{name}={value!r}" for name, value in said.items() if value not in ("", (), None))
    return (
        f"{recorded.service} {recorded.position}, {recorded.stream} version {recorded.version}: "
        f"{type(event).__name__}({told})"
    )


_SEALED = frozenset({"sealed", "details", "patient", "note"})
