"""What SQL finds for somebody is just what the rule in `keeping` lets them have, whatever practices have opened."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from services.booking.app import BLUEPRINT
from services.booking.schedule_search import ScheduleSearch, find_schedules
from services.booking.session_views import Openings, SlotFacts
from services.booking.slot_search import SlotSearch, find_slots
from services.booking.tables import openings, practices, sessions, slots
from services.booking.viewing import Viewer, sees_slot
from shared.database import open_engine
from shared.events.booking import KeptFor, Opening
from shared.project import Change, Put, row_of
from shared.rows import apply
from tests.harness import Servers

NOWS = [
    datetime(2024, 7, 19, 22, 59, tzinfo=UTC),
    datetime(2024, 10, 26, 23, 30, tzinfo=UTC),
    datetime(2025, 3, 29, 12, 0, tzinfo=UTC),
]
"""A minute before midnight in London, and the eves of both clock changes."""

TYPES, CODES = ("urgent-care", "nhs-111", "gp-practice"), ("U1", "P0", "X9")
EDGES = (-1, 0, 1, 29, 30, 31, 60, 61, 1440, 1441, 1500, 2880, 2881, 2940)
MINUTES = st.sampled_from(EDGES)


@dataclass(frozen=True, slots=True)
class Case:
    """A slot that starts so many minutes from now, in a session and at a practice of its own."""

    minutes: int
    kept_for: KeptFor
    of_session: Opening | None
    of_practice: Opening | None


def _openings(now: datetime) -> st.SearchStrategy[Opening | None]:
    """Mostly open ones: an opening that lets nobody in hides whatever else may be wrong with it."""
    embargoes = [None, None, *(now + timedelta(minutes=minutes) for minutes in (-1500, 0, 1))]
    some = st.builds(
        Opening,
        closed=st.sampled_from([False, False, False, False, True]),
        organisation_types=st.sampled_from([(), (), (), ("urgent-care",), ("gp-practice", "nhs-111")]),
        organisations=st.sampled_from([(), (), (), ("U1",), ("P0", "X9")]),
        days_ahead=st.sampled_from([None, 0, 1, 2]),
        embargo_until=st.sampled_from(embargoes),
        closes_minutes=st.sampled_from([0, 0, 30, 1440]),
    )
    return st.sampled_from([True, True, False]).flatmap(lambda said: some if said else st.none())


def _cases(now: datetime) -> st.SearchStrategy[list[Case]]:
    kept = st.sampled_from(["anyone", "anyone", "anyone", "nhs-111", "same-day"])
    return st.lists(st.builds(Case, MINUTES, kept, _openings(now), _openings(now)), min_size=6, max_size=12)


VIEWERS = st.builds(Viewer, st.sampled_from(["", *CODES]), st.sampled_from(["", *TYPES]), st.just(False))


def test_sql_finds_what_the_rule_allows(servers: Servers) -> None:
    with asyncio.Runner() as runner:
        engine = open_engine(runner.run(servers.database(BLUEPRINT)))

        @settings(max_examples=150, deadline=None)
        @given(st.data(), st.sampled_from(NOWS), VIEWERS)
        def same(data: st.DataObject, now: datetime, viewer: Viewer) -> None:
            cases = data.draw(_cases(now))
            runner.run(_check(engine, cases, now, viewer))

        try:
            same()
        finally:
            runner.run(engine.dispose())


def test_sql_finds_what_the_rule_allows_to_the_minute(servers: Servers) -> None:
    """Every edge of the defaults, and of each limit alone: chance might pass one by."""
    now = NOWS[0]
    limits = [Opening(), Opening(closes_minutes=30), Opening(days_ahead=1), Opening(embargo_until=now)]

    async def all_edges() -> None:
        engine = open_engine(await servers.database(BLUEPRINT))
        try:
            for opening in limits:
                cases = [Case(minutes, "anyone", None, opening) for minutes in EDGES]
                await _check(engine, cases, now, Viewer("U1", "urgent-care"))
        finally:
            await engine.dispose()

    asyncio.run(all_edges())


async def _check(engine: AsyncEngine, cases: Sequence[Case], now: datetime, viewer: Viewer) -> None:
    expected = {f"S{n}" for n, case in enumerate(cases) if sees_slot(viewer, _facts(n, case, now), now)}
    search = SlotSearch(now - timedelta(days=3), now + timedelta(days=5), ["free"], viewer)
    async with engine.connect() as connection:
        await connection.execute(select(1))
        await apply(connection, (change for n, case in enumerate(cases) for change in _written(n, case, now)))
        wide = await find_slots(connection, search, now)
        assert {row.slot for row in wide.rows} == expected
        for n in (0, 1):
            of_one = SlotSearch(search.start, search.end, ["free"], viewer, practice=f"P{n}")
            found = await find_slots(connection, of_one, now)
            assert {row.slot for row in found.rows} == expected & {f"S{n}"}
        schedules = await find_schedules(connection, ScheduleSearch(), viewer, now)
        own = {f"p{n}" for n in range(len(cases)) if viewer.owns(f"P{n}")}
        assert {row.session for row in schedules.rows} == {slot.replace("S", "p") for slot in expected} | own
        await connection.rollback()


def _facts(n: int, case: Case, now: datetime) -> SlotFacts:
    return SlotFacts(
        slot=f"S{n}",
        practice=f"P{n}",
        session=f"p{n}",
        start=now + timedelta(minutes=case.minutes),
        kept_for=case.kept_for,
        withdrawn=False,
        taken=False,
        taken_until=None,
        kept_out=(),
        openings=Openings(case.of_session, case.of_practice),
    )


def _written(n: int, case: Case, now: datetime) -> list[Change]:
    start = now + timedelta(minutes=case.minutes)
    span = {"session": f"p{n}", "practice": f"P{n}", "start": start, "end": start + timedelta(minutes=10)}
    words = {"name": "Morning", "clinician": "Dr Jones", "clinician_role": "", "location": ""}
    place = {"name": f"Practice {n}", "town": "", "postcode": "", "telephone": "", "nhs111_slots_per_day": 1}
    kind = {"minutes": 10, "channel": "in-person", "service_type": "", "kept_for": case.kept_for, "withdrawn": False}
    written: list[Change] = [
        Put(practices, row_of(practices)(practice=f"P{n}", **place)),
        Put(sessions, row_of(sessions)(**span, **words, opening=case.of_session)),
        Put(slots, row_of(slots)(slot=f"S{n}", **span, **kind)),
    ]
    if case.of_practice is not None:
        written.append(Put(openings, row_of(openings)(practice=f"P{n}", opening=case.of_practice)))
    return written
