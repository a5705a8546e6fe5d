"""What every client asked and was told, command by command and read by read, to be held against the log."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from math import inf
from time import monotonic
from typing import Literal

Outcome = Literal["done", "refused", "unsent", "unknown"]
"""`refused`: every attempt was answered with a no. `unsent`: there was nobody to send it to. `unknown`: all else."""

OUTCOMES: tuple[Outcome, ...] = ("done", "refused", "unsent", "unknown")


@dataclass(slots=True)
class Command:
    """One command of one client, over all its attempts.

    `effect` is the name under which the log shows what came of it (`effects.effects_of`): at `least` so often if it was
    done, and at `most` so often anyway. A command that nobody hears the end of stays unknown.
    """

    client: str
    kind: str
    effect: str
    invoked: float
    least: int = 1
    most: int = 1
    answered: float = inf
    outcome: Outcome = "unknown"
    tries: int = 0
    said: str = ""

    def __str__(self) -> str:
        took = f"{self.answered - self.invoked:.2f} s" if self.answered < inf else "never"
        return (
            f"{self.client} asked to {self.kind} ({self.effect or 'of unknown effect'}): "
            f"{self.outcome}, {self.said or 'no answer'}, {self.tries} tries, answered {took}"
        )


@dataclass(frozen=True, slots=True)
class Read:
    """What an answer showed of an appointment: its version, and how FHIR calls its status. Version 0: it was not there.

    `written`: the answer to a command, so what it shows was committed by the time it came.
    """

    client: str
    appointment: str
    version: int
    status: str
    invoked: float
    answered: float
    written: bool = False

    def __str__(self) -> str:
        seen = f"version {self.version} ({self.status})" if self.version else "nothing"
        return f"{self.client} saw {seen} of appointment {self.appointment}"


@dataclass(slots=True)
class History:
    """All of it, in the order in which it was asked."""

    commands: list[Command] = field(default_factory=list)
    reads: list[Read] = field(default_factory=list)

    @contextmanager
    def command(self, client: str, kind: str, effect: str = "", most: int = 1) -> Iterator[Command]:
        """A command that is asked meanwhile; should the client be cut off, it is known all the same."""
        begun = Command(client, kind, effect, monotonic(), most=most)
        self.commands.append(begun)
        yield begun
        begun.answered = monotonic()

    def outcomes(self) -> Counter[Outcome]:
        return Counter(command.outcome for command in self.commands)

    def kinds(self) -> Counter[str]:
        """How many of each kind were done."""
        return Counter(command.kind for command in self.commands if command.outcome == "done")
