"""The comparison after a rebuild: it sees any row that differs, and nothing in the order of rows."""

from services.operator.demo_rebuild import digests
from shared.events.base import Event
from shared.events.booking import PracticeRegistered
from tests.harness import Servers
from tests.operator.logbook import logbook

LOG: list[Event] = [PracticeRegistered(practice=f"G{number}", name="One") for number in range(3)]


async def test_equal_logs_have_equal_digests(servers: Servers) -> None:
    async with logbook(servers, LOG) as one, logbook(servers, LOG) as other:
        assert await digests(one, "nothing") == await digests(other, "nothing")


async def test_another_event_is_seen_in_the_log(servers: Servers) -> None:
    async with logbook(servers, LOG) as one, logbook(servers, [*LOG[:2], LOG[0]]) as other:
        assert (await digests(one, "nothing"))["events"] != (await digests(other, "nothing"))["events"]


async def test_a_changed_row_is_seen_and_the_order_of_rows_is_not(servers: Servers) -> None:
    async with logbook(servers, LOG) as connection:
        await connection.execute("INSERT INTO frozen VALUES ('G1', 'o', '[]'), ('G2', 'o', '[]')")
        before = await digests(connection, "nothing")
        await connection.execute("DELETE FROM frozen WHERE practice = 'G1'")
        fewer = await digests(connection, "nothing")
        await connection.execute("INSERT INTO frozen VALUES ('G1', 'o', '[]')")
        assert await digests(connection, "nothing") == before
    assert fewer["frozen"] != before["frozen"]
    assert {table for table in before if before[table] != fewer[table]} == {"frozen"}


async def test_rows_that_name_what_is_new_are_left_out(servers: Servers) -> None:
    async with logbook(servers, LOG) as connection:
        before = await digests(connection, "NEW1")
        await connection.execute("INSERT INTO frozen VALUES ('NEW1', 'o', '[]')")
        assert await digests(connection, "NEW1") == before
        assert await digests(connection, "nothing") != before


async def test_how_far_the_service_has_got_is_not_compared(servers: Servers) -> None:
    async with logbook(servers, LOG) as connection:
        compared = set(await digests(connection, "nothing"))
    assert {"events", "practices", "sessions", "slots", "appointments"} <= compared
    assert not compared & {"checkpoint", "log_head", "data_keys", "alembic_version"}
