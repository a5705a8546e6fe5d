"""What an event goes through: executed here, copied to the stream, folded and reacted to there."""

import asyncio

import pytest
from sqlalchemy import select, text

from shared.broker import connect
from shared.log import COPIED_FROM, head_position, read_after
from shared.refusals import Conflict, NotFound
from tests.harness import County
from tests.shared.toys import outages, practices
from tests.shared.toys.practices import Freeze, FreezeTwo, Register
from tests.waiting import DEADLINE


async def test_a_command_is_answered_when_its_events_stand_in_both_copies(county: County) -> None:
    async with county.service(practices.BLUEPRINT, practices.Settings) as booking:
        (recorded,) = await booking.executor.execute(Register("G1", "Harbour Surgery"))

        assert (recorded.position, recorded.version, recorded.subject) == (
            1,
            1,
            "daybook.booking.G1.practice-registered",
        )
        assert booking.relay.position == 1
        client = await connect(county.servers.nats.url("operator"), "operator")
        stored = await client.jetstream().get_msg("DAYBOOK", 1)
        await client.close()
        async with booking.engine.connect() as connection:
            (kept,) = await read_after(connection, 0, 10)
            row = (await connection.execute(select(practices.practices))).one()
        assert stored.data == kept.body == recorded.body
        assert tuple(row) == ("G1", "Harbour Surgery", "")


async def test_events_by_the_hundred_stand_in_the_log_as_a_single_one_does(county: County) -> None:
    many = COPIED_FROM + 20
    async with county.service(practices.BLUEPRINT, practices.Settings) as booking:
        first = await booking.executor.execute(Register("G0", "Surgery 0"))
        others = await booking.executor.execute_together([Register(f"G{n}", f"Surgery {n}") for n in range(1, many)])

        assert booking.relay.position == many
        async with booking.engine.connect() as connection:
            kept = await read_after(connection, 0, many + 1)
            ends = list((await connection.execute(text("SELECT command_end FROM events ORDER BY position"))).scalars())
        assert [each.body for each in kept] == [each.body for each in (*first, *others)]
        assert ends == [1, *[many] * (many - 1)]


async def test_a_refused_command_leaves_nothing_behind_and_spoils_nothing_for_those_beside_it(county: County) -> None:
    async with county.service(practices.BLUEPRINT, practices.Settings) as booking:
        answers = await asyncio.gather(
            *(booking.executor.execute(Register(f"G{n}", f"Surgery {n}")) for n in range(20)),
            booking.executor.execute(Freeze("NOWHERE", "outage-1")),
            return_exceptions=True,
        )

        assert isinstance(answers[-1], NotFound)
        async with booking.engine.connect() as connection:
            assert await head_position(connection) == 20
            positions = list((await connection.execute(text("SELECT position FROM events ORDER BY 1"))).scalars())
        assert positions == list(range(1, 21))


async def test_commands_together_are_all_or_none(county: County) -> None:
    async with county.service(practices.BLUEPRINT, practices.Settings) as booking:
        with pytest.raises(NotFound):
            await booking.executor.execute_together([Register("G1", "Harbour Surgery"), Freeze("G2", "outage-1")])

        async with booking.engine.connect() as connection:
            assert await head_position(connection) == 0


async def test_a_caller_behind_hundreds_who_hung_up_is_answered_all_the_same(county: County) -> None:
    async with county.service(practices.BLUEPRINT, practices.Settings) as booking:
        callers = [
            asyncio.ensure_future(booking.executor.execute(Register(f"G{n}", f"Surgery {n}"))) for n in range(700)
        ]
        await asyncio.sleep(0)  # all of them have come to the desk
        for caller in callers[1:-1]:
            caller.cancel()

        async with asyncio.timeout(DEADLINE):
            (recorded,) = await callers[-1]

        assert recorded.position == 700
        assert await callers[0]


async def test_a_guard_of_the_database_refuses_only_the_command_that_breaks_it(county: County) -> None:
    async with county.service(practices.BLUEPRINT, practices.Settings) as booking:
        answers = await asyncio.gather(
            *(booking.executor.execute(Register(code, name)) for code, name in [("A1", "x"), ("B1", "x"), ("C1", "y")]),
            return_exceptions=True,
        )

        assert [isinstance(answer, Conflict) for answer in answers] == [False, True, False]
        assert [recorded.practice for answer in answers if isinstance(answer, tuple) for recorded in answer] == [
            "A1",
            "C1",
        ]


async def test_a_command_over_two_streams_appends_to_both(county: County) -> None:
    async with county.service(practices.BLUEPRINT, practices.Settings) as booking:
        for code in ("G1", "G2"):
            await booking.executor.execute(Register(code, f"Surgery {code}"))

        recorded = await booking.executor.execute(FreezeTwo(("G1", "G2"), "outage-1"))

        assert [(one.stream, one.version) for one in recorded] == [("practice/G1", 2), ("practice/G2", 2)]


async def test_a_follower_folds_and_reacts_once_and_says_what_caused_it(county: County) -> None:
    async with (
        county.service(practices.BLUEPRINT, practices.Settings) as booking,
        county.service(outages.BLUEPRINT, outages.Settings) as rebooking,
    ):
        await booking.executor.execute(Register("G1", "Harbour Surgery"))
        (frozen,) = await booking.executor.execute(Freeze("G1", "outage-1"))
        await county.caught_up()

        async with rebooking.engine.connect() as connection:
            (declared,) = await read_after(connection, 0, 10)
            known = (await connection.execute(select(outages.known_practices))).all()
        assert declared.causation_id == frozen.id
        assert declared.followed == "booking:1"
        assert [tuple(row) for row in known] == [("G1", "Harbour Surgery")]


async def test_a_follower_that_was_down_takes_up_where_it_stood(county: County) -> None:
    async with county.service(practices.BLUEPRINT, practices.Settings) as booking:
        await booking.executor.execute(Register("G1", "Harbour Surgery"))
        async with county.service(outages.BLUEPRINT, outages.Settings):
            await county.caught_up()
        await booking.executor.execute(Freeze("G1", "outage-1"))
        await booking.executor.execute(Register("G2", "Marsh Surgery"))

        async with county.service(outages.BLUEPRINT, outages.Settings) as rebooking:
            await county.caught_up()

            async with rebooking.engine.connect() as connection:
                assert await head_position(connection) == 1
                names = (await connection.execute(select(outages.known_practices.c.name).order_by(text("1")))).scalars()
                assert list(names) == ["Harbour Surgery", "Marsh Surgery"]


async def test_many_commands_reach_the_stream_in_order_and_whole(county: County) -> None:
    async with (
        county.service(practices.BLUEPRINT, practices.Settings) as booking,
        county.service(outages.BLUEPRINT, outages.Settings) as rebooking,
    ):
        for start in range(0, 3000, 600):
            await booking.executor.execute_together(
                [Register(f"G{n}", f"Surgery {n}") for n in range(start, start + 600)]
            )
        await county.caught_up()

        async with rebooking.engine.connect() as connection:
            assert await connection.scalar(text("SELECT count(*) FROM known_practices")) == 3000
