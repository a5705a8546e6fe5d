"""The shape of a rule: state and command in, events out, and nothing else touched."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from shared.events.base import Event

S = TypeVar("S")
C = TypeVar("C")
E = TypeVar("E", bound=Event)


@dataclass(frozen=True, slots=True)
class Decider(Generic[S, C, E]):
    """The rules of one service, as pure functions.

    A command names the streams it must look at (`touches`); `decide` sees the state of each of them and returns new
    events of those streams, or `[]` where nothing changes (so a repeated command is harmless), or raises `Refusal`.
    `evolve` never refuses: what happened, happened.
    """

    initial: S
    touches: Callable[[C], Sequence[str]]
    decide: Callable[[Mapping[str, S], C], Sequence[E]]
    evolve: Callable[[S, E], S]
