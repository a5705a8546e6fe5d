"""A service that follows the practices, and declares an outage when it hears that one was frozen."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from sqlalchemy import Column, MetaData, Table, Text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.decider import Decider
from shared.events.booking import PracticeFrozen, PracticeRegistered
from shared.events.envelope import Recorded
from shared.events.rebooking import OutageDeclared
from shared.project import Change, Put, row_of
from shared.service import Blueprint, Reaction, Running
from shared.settings import ServiceSettings

METADATA = MetaData()
known_practices = Table("known_practices", METADATA, Column("practice", Text, primary_key=True), Column("name", Text))
outages = Table("outages", METADATA, Column("outage", Text, primary_key=True), Column("name", Text))


@dataclass(frozen=True, slots=True)
class Declare:
    outage: str
    event: OutageDeclared


def decide(states: Mapping[str, bool], command: Declare) -> Sequence[OutageDeclared]:
    return [] if states[f"outage/{command.outage}"] else [command.event]


def evolve(state: bool, event: OutageDeclared) -> bool:
    return True


def project(recorded: Recorded) -> Iterable[Change]:
    if isinstance(recorded.event, OutageDeclared):
        yield Put(outages, row_of(outages)(outage=recorded.event.outage, name=recorded.event.name))


def project_practices(recorded: Recorded) -> Iterable[Change]:
    if isinstance(recorded.event, PracticeRegistered):
        yield Put(known_practices, row_of(known_practices)(practice=recorded.event.practice, name=recorded.event.name))


async def react(running: Running, connection: AsyncConnection, events: Sequence[Recorded]) -> Sequence[Reaction]:
    return [
        Reaction(
            Declare(
                one.event.outage,
                OutageDeclared(
                    outage=one.event.outage,
                    name=f"because of {one.event.practice}",
                    practices=(one.event.practice,),
                    started_at=one.occurred_at,
                ),
            ),
            one,
        )
        for one in events
    ]


class Settings(ServiceSettings):
    service: ClassVar[str] = "rebooking"


BLUEPRINT = Blueprint(
    name="rebooking",
    metadata=METADATA,
    migrations=Path(__file__).parent / "outages_migrations",
    decider=Decider(False, lambda command: (f"outage/{command.outage}",), decide, evolve),
    project=project,
    follows={"booking": project_practices},
    react=react,
    wants=frozenset({PracticeFrozen}),
)
