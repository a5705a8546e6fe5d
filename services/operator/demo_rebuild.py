"""A service loses its database and is made again from the stream, while the others go on working."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing
from typing import Any

import asyncpg
import msgspec

from services.operator.child import last_words
from services.operator.databases import ensure_database
from services.operator.demo_report import Rebuilt
from services.operator.demo_services import Place, at_rest
from shared.refusals import Unavailable

Digests = Mapping[str, str]
"""How many rows each table has, and a digest of them that does not depend on their order."""

_NOT_FOLDED = {"log_head", "checkpoint", "relayed", "data_keys", "alembic_version", "accesses"}
"""How far the service has got and its copy reaches, keys it fetches when it needs them, and who asked for what;
everything else is made from events."""


async def nothing() -> None:
    """What happens while a service is rebuilt, if nothing does."""


async def lose_and_rebuild(
    place: Place, service: str, meanwhile: Callable[[], Awaitable[None]] = nothing, *, leave_out: str
) -> Rebuilt:
    """Destroy the service's database, make it again from the stream, and compare it with what it was.

    `meanwhile` happens while the stream is folded. It changes rows that have `leave_out` in them, and no others.
    """
    await at_rest(place)
    texts = await _texts(place)
    async with place.database(service) as connection:
        before = await digests(connection, leave_out)
    await place.supervisor.stop_child(service)
    await _destroy(place, service)
    done = await _restore(place, service, meanwhile)
    await place.supervisor.start_child(service)
    await at_rest(place)
    async with place.database(service) as connection:
        after = await digests(connection, leave_out)
    return Rebuilt(done["events"], done["seconds"], _compared(place, before, after), await _texts(place) - texts)


async def _texts(place: Place) -> int:
    """How many messages the gateway has accepted so far."""
    accepted: int = (await place.get("sandbox", "/sandbox/figures"))["accepted"]
    return accepted


async def digests(connection: "asyncpg.Connection[Any]", leave_out: str) -> Digests:
    """Every table that is folded from events, and the log itself; without the rows that have `leave_out` in them."""
    await connection.execute("SET TimeZone TO 'UTC'")
    tables = [row["tablename"] for row in await connection.fetch(_TABLES)]
    return {
        table: await connection.fetchval(_DIGEST.format(row=_ROWS.get(table, "t::text"), table=table), leave_out)
        for table in tables
        if table not in _NOT_FOLDED
    }


async def _destroy(place: Place, service: str) -> None:
    async with place.database("postgres") as server:
        await server.execute(f'DROP DATABASE "{service}" WITH (FORCE)')
    place.screen.says(f"The database of {service} is destroyed.")
    await ensure_database(place.supervisor.settings, service)
    await place.supervisor.run(service, "migrate")


async def _restore(place: Place, service: str, meanwhile: Callable[[], Awaitable[None]]) -> dict[str, Any]:
    with place.screen.stage(f"Rebuild {service} from the stream") as stage:
        async with aclosing(_said(place, service, "restore")) as lines:
            said = await anext(lines)
            await meanwhile()
            async for said in lines:
                if said["phase"] == "fold":
                    stage.reached(said["done"], said["of"])
                    stage.says(f"{said['rate']:,} events/s")
    return said


async def _said(place: Place, service: str, *arguments: str) -> AsyncGenerator[dict[str, Any], None]:
    """What the service's own command says, line by line. Raises `Unavailable` if it does not end well."""
    machine, log = place.supervisor.machine, place.supervisor.settings.home.logs / f"{service}.log"
    with log.open("ab") as complaints:
        process = await asyncio.create_subprocess_exec(
            *machine.command(service, *arguments),
            env=machine.environment(),
            stdout=asyncio.subprocess.PIPE,
            stderr=complaints,
        )
    if process.stdout is None:
        raise RuntimeError("a pipe was asked for and none was given")
    try:
        async for line in process.stdout:
            yield msgspec.json.decode(line, type=dict[str, Any])
    except BaseException:
        process.terminate()
        raise
    if await process.wait():
        raise Unavailable(f"`{service} {' '.join(arguments)}` failed: {last_words(log)}", code="command-failed")


def _compared(place: Place, before: Digests, after: Digests) -> bool:
    different = sorted(table for table in {*before, *after} if before.get(table) != after.get(table))
    for table in different:
        place.screen.says(f"{table}: was {before.get(table)}, is {after.get(table)} (rows:digest)")
    return not different


_TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename"

_ROWS = {"events": "(t.position, t.id, t.stream, t.version, encode(t.body, 'hex'))::text"}
"""Of the log, all but where one command ended and the next began, which only the relay needed to know."""

_DIGEST = """
    SELECT count(*) || ':' || mod(coalesce(sum(hashtextextended({row}, 0)::numeric), 0), 2 ^ 64::numeric)
    FROM {table} AS t
    WHERE strpos(t::text, $1) = 0
"""
