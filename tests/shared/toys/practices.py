"""A service with one kind of stream and one table: practices that can be frozen."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from sqlalchemy import Column, MetaData, Table, Text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.decider import Decider
from shared.events.booking import PracticeFrozen, PracticeRegistered, PracticeReopened
from shared.events.envelope import Recorded
from shared.project import Change, Patch, Put, row_of
from shared.refusals import NotFound
from shared.service import Blueprint, Reaction, Running
from shared.settings import ServiceSettings

METADATA = MetaData()
practices = Table(
    "practices",
    METADATA,
    Column("practice", Text, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("frozen_by", Text, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Register:
    practice: str
    name: str


@dataclass(frozen=True, slots=True)
class Freeze:
    practice: str
    outage: str


@dataclass(frozen=True, slots=True)
class FreezeTwo:
    """Touches two streams at once."""

    practices: tuple[str, str]
    outage: str


@dataclass(frozen=True, slots=True)
class State:
    name: str = ""
    frozen_by: str = ""


Command = Register | Freeze | FreezeTwo
Event = PracticeRegistered | PracticeFrozen | PracticeReopened


def touches(command: Command) -> Sequence[str]:
    match command:
        case Register(practice) | Freeze(practice):
            return (f"practice/{practice}",)
        case FreezeTwo(practices):
            return tuple(f"practice/{practice}" for practice in practices)


def decide(states: Mapping[str, State], command: Command) -> Sequence[Event]:
    match command:
        case Register(practice, name):
            known = states[f"practice/{practice}"].name == name
            return [] if known else [PracticeRegistered(practice=practice, name=name)]
        case Freeze(practice, outage):
            return _freeze(states, practice, outage)
        case FreezeTwo(practices, outage):
            return [event for practice in practices for event in _freeze(states, practice, outage)]


def _freeze(states: Mapping[str, State], practice: str, outage: str) -> Sequence[Event]:
    state = states[f"practice/{practice}"]
    if not state.name:
        raise NotFound(f"no practice {practice}", code="unknown-practice", where="practice")
    return [] if state.frozen_by == outage else [PracticeFrozen(practice=practice, outage=outage)]


def evolve(state: State, event: Event) -> State:
    match event:
        case PracticeRegistered(name=name):
            return State(name, state.frozen_by)
        case PracticeFrozen(outage=outage):
            return State(state.name, outage)
        case PracticeReopened():
            return State(state.name, "")


def project(recorded: Recorded) -> Iterable[Change]:
    event: Event = recorded.event
    match event:
        case PracticeRegistered(practice=practice, name=name):
            yield Put(practices, row_of(practices)(practice=practice, name=name, frozen_by=""))
        case PracticeFrozen(practice=practice, outage=outage):
            yield Patch(practices, {"practice": practice}, {"frozen_by": outage})
        case PracticeReopened(practice=practice):
            yield Patch(practices, {"practice": practice}, {"frozen_by": ""})


async def react(running: Running, connection: AsyncConnection, events: Sequence[Recorded]) -> Sequence[Reaction]:
    return ()


class Settings(ServiceSettings):
    service: ClassVar[str] = "booking"


BLUEPRINT = Blueprint(
    name="booking",
    metadata=METADATA,
    migrations=Path(__file__).parent / "practices_migrations",
    decider=Decider(State(), touches, decide, evolve),
    project=project,
    follows={},
    react=react,
    wants=frozenset(),
)
