"""Rules read as sentences: given what happened, when something is asked, then what follows."""

from collections.abc import Sequence
from typing import Any, Generic, TypeVar

import pytest

from shared.decider import Decider
from shared.events.base import Event
from shared.refusals import Refusal

C = TypeVar("C")
E = TypeVar("E", bound=Event)


class Given(Generic[C, E]):
    """A past, to ask something of."""

    def __init__(self, decider: Decider[Any, C, E], past: Sequence[E]) -> None:
        self._decider = decider
        self._past = past

    def when(self, *commands: C) -> "Then[C, E]":
        """The last of the commands is the one in question; each sees what came of those before it."""
        past = list(self._past)
        for command in commands[:-1]:
            past += decided(self._decider, past, command)
        return Then(self._decider, past, commands[-1])


class Then(Generic[C, E]):
    """What a command leads to."""

    def __init__(self, decider: Decider[Any, C, E], past: Sequence[E], command: C) -> None:
        self._decider = decider
        self._past = past
        self._command = command

    @property
    def events(self) -> list[E]:
        return decided(self._decider, self._past, self._command)

    def then(self, *expected: E) -> Given[C, E]:
        """These events exactly; what is asked next has seen them too."""
        assert self.events == list(expected)
        return Given(self._decider, [*self._past, *expected])

    def nothing_happens(self) -> Given[C, E]:
        return self.then()

    def is_refused(self, code: str, where: str | None = None) -> None:
        with pytest.raises(Refusal) as refused:
            decided(self._decider, self._past, self._command)
        assert refused.value.code == code
        assert where is None or refused.value.where == where


def decided(decider: Decider[Any, C, E], past: Sequence[E], command: C) -> list[E]:
    """What the decider answers, having seen the past of the streams that the command touches."""
    states = dict.fromkeys(decider.touches(command), decider.initial)
    for event in past:
        if event.stream in states:
            states[event.stream] = decider.evolve(states[event.stream], event)
    return list(decider.decide(states, command))
