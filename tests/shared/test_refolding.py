"""Tables are made of the stream in batches: each event once, in order, none missing, and each batch with its place."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

import msgspec
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

import shared.bulk
from shared.broker import connect
from shared.database import open_engine
from shared.events.base import Event
from shared.events.envelope import Recorded, with_body
from shared.events.notifications import NumberSuppressed
from shared.events.rebooking import OutageEnded
from shared.leaving_out import Unfoldable
from shared.project import Change
from shared.rebuilding import Tally
from shared.refolding import Refolding
from shared.relay import Halted
from shared.service import Blueprint
from shared.stretches import Place, in_the_stream
from shared.walking import info_of
from shared.wire import Client
from tests.harness import County
from tests.house.examples import in_the_log
from tests.shared.test_follow import NOW, registered
from tests.shared.test_follow import in_the_stream as put_into_the_stream
from tests.shared.toys import outages

BEGINNING = Place(stream_created="today", sequence=0, event_id="", positions={}, own_id="")


def recorded(event: Event, position: int) -> Recorded:
    return with_body(msgspec.structs.replace(in_the_log(event), position=position, id=f"elsewhere-{position}"))


STOPPED = NumberSuppressed(number="a number", reason="stop")
ENDED = OutageEnded(outage="outage-1", ended_at=NOW, practices=("G1",))


@dataclass(slots=True)
class Making:
    """Tables being made, and every place that was kept with them."""

    engine: AsyncEngine
    client: Client
    kept: list[Place] = field(default_factory=list)

    async def fold(self, place: Place = BEGINNING, blueprint: Blueprint = outages.BLUEPRINT) -> Place:
        until = (await info_of(self.client)).state.last_seq
        refolding = Refolding(blueprint, self.engine, (), _look, self._keep, Tally(until, lambda *_: None))
        return await refolding.fold(place, in_the_stream(blueprint, self.client, place, until))

    async def _keep(self, _: AsyncConnection, place: Place) -> None:
        self.kept.append(place)

    async def known(self) -> list[str]:
        async with self.engine.connect() as connection:
            return list((await connection.execute(text("SELECT practice FROM known_practices ORDER BY 1"))).scalars())


async def _look(connection: AsyncConnection) -> None:
    """Nobody else writes these."""
    await connection.execute(text("SET LOCAL search_path TO public"))


@asynccontextmanager
async def making(county: County) -> AsyncIterator[Making]:
    settings = await county.settings(outages.BLUEPRINT, outages.Settings)
    client, engine = await connect(settings.nats_url, "rebooking"), open_engine(settings.database_url)
    try:
        yield Making(engine, client)
    finally:
        await client.close()
        await engine.dispose()


async def test_a_repeat_is_passed_over_and_what_nobody_folds_here_is_not_read(county: County) -> None:
    again = msgspec.structs.replace(registered(1, "G9"), id="event-1-again")
    await put_into_the_stream(county, registered(1, "G1"), recorded(STOPPED, 5), again, registered(2, "G2"))
    async with making(county) as tables:
        place = await tables.fold()

        assert await tables.known() == ["G1", "G2"]
        assert (place.sequence, place.event_id, place.positions) == (4, "event-2", {"booking": 2, "rebooking": 0})


async def test_it_goes_on_from_its_place_which_is_where_it_was_told_to_stop(county: County) -> None:
    await put_into_the_stream(county, registered(1, "G1"), recorded(STOPPED, 1))
    async with making(county) as tables:
        first = await tables.fold()
        await put_into_the_stream(county, registered(2, "G2"))
        second = await tables.fold(first)

        assert (first.sequence, first.event_id) == (2, "elsewhere-1")
        assert (second.sequence, second.positions["booking"]) == (3, 2)
        assert await tables.fold(second) == second
        assert await tables.known() == ["G1", "G2"]


async def test_a_gap_in_the_positions_of_a_service_halts_it(county: County) -> None:
    await put_into_the_stream(county, registered(1, "G1"), registered(3, "G3"))
    async with making(county) as tables:
        with pytest.raises(Halted, match="event 2 of booking is missing from the log before 3"):
            await tables.fold()

        assert await tables.known() == []


async def test_each_batch_is_committed_with_its_place_and_a_fault_is_named_and_loses_no_earlier_one(
    county: County, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared.bulk, "EVENTS", 1)
    monkeypatch.setattr("shared.reading.PULL", 2)
    await put_into_the_stream(county, *(registered(position, f"G{position}") for position in range(1, 10)))
    async with making(county) as tables:
        with pytest.raises(Unfoldable, match=r"event event-7 \(booking 7, .*practice-registered.v1\) .*KeyError"):
            await tables.fold(blueprint=replace(outages.BLUEPRINT, follows={"booking": _no_g7}))

        assert len(await tables.known()) == tables.kept[-1].positions["booking"] < 7
        assert [place.positions["booking"] for place in tables.kept] == [place.sequence for place in tables.kept]

        place = await tables.fold(tables.kept[-1])

        assert len(await tables.known()) == place.positions["booking"] == 9


def _no_g7(recorded: Recorded) -> Iterable[Change]:
    if recorded.practice == "G7":
        raise KeyError("G7")
    return outages.project_practices(recorded)


async def test_of_one_service_alone_only_its_own_are_asked_for(county: County) -> None:
    alone = replace(outages.BLUEPRINT, follows={})
    await put_into_the_stream(county, registered(1, "G1"))
    async with making(county) as tables:
        nothing = await tables.fold(blueprint=alone)
        await put_into_the_stream(county, recorded(ENDED, 1), registered(2, "G2"))
        place = await tables.fold(nothing, blueprint=alone)

        assert (nothing.sequence, nothing.event_id, nothing.positions) == (1, "event-1", {"rebooking": 0})
        assert (place.sequence, place.event_id, place.positions) == (3, "event-2", {"rebooking": 1})
