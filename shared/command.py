"""One service's command line: `python -m services.<name> serve | migrate | rebuild [--verify] [--whole] | restore`."""

import argparse
import asyncio
import json
import logging
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any, NoReturn

import structlog

from shared.broker import connect, require_new_enough
from shared.clock import clock_starting_at, written
from shared.collecting import collect_seldom
from shared.database import FAULTS, open_engine
from shared.migrate import migrate, migrate_new, require_migrated
from shared.rebuild import Snapshots, Stage, rebuild
from shared.rebuilding import INTERRUPTED, Progress, Result
from shared.refusals import Conflict, Refusal
from shared.relay import Halted
from shared.restore import restore
from shared.resuming import Begun
from shared.service import Blueprint
from shared.settings import ServiceSettings

TELL_EVERY = 0.2
"""Seconds between two lines of progress."""


def run_service(blueprint: Blueprint, settings: type[ServiceSettings], serve: Callable[[Any], int]) -> None:
    """The whole command line of a service; `serve` answers requests until told to stop.

    Exits 0 when all is well, 1 if tables were not equal, 2 if refused, 130 if interrupted.
    """
    parser = argparse.ArgumentParser(prog=f"python -m services.{blueprint.name}")
    verbs = parser.add_subparsers(dest="verb", required=True)
    serving = verbs.add_parser("serve", help="answer requests until told to stop")
    serving.add_argument("--migrate", action="store_true", help="do what `migrate` does, first")
    verbs.add_parser("migrate", help="bring the database to the shape this version needs")
    again = verbs.add_parser("rebuild", help="make the tables again from the log, compare them, and swap them in")
    again.add_argument("--verify", action="store_true", help="compare only, swap nothing in")
    again.add_argument("--whole", action="store_true", help="from the first event on, whatever snapshot there is")
    verbs.add_parser("restore", help="make an empty database again from the stream")
    asked = parser.parse_args()
    _log_plainly()
    try:
        sys.exit(_run(asked, blueprint, settings.from_environment(), serve))
    except (Refusal, Halted) as refusal:
        _give_up(str(refusal))
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except FAULTS as fault:
        # The engine's own words name the host and the reason, and no row; a traceback would bury them.
        _give_up(f"the database of {blueprint.name} refused: {str(fault).splitlines()[0]}")


def _give_up(reason: str) -> NoReturn:
    print(json.dumps({"phase": "refused", "reason": reason}), file=sys.stderr)  # noqa: T201
    sys.exit(2)


def _run(
    asked: argparse.Namespace, blueprint: Blueprint, settings: ServiceSettings, serve: Callable[[Any], int]
) -> int:
    match asked.verb:
        case "migrate":
            asyncio.run(_migrate(blueprint, settings))
            return 0
        case "rebuild":
            return asyncio.run(_again(blueprint, settings, verify_only=asked.verify, whole=asked.whole))
        case "restore":
            return asyncio.run(_again(blueprint, settings, empty_only=True))
        case _:
            if asked.migrate:
                asyncio.run(_migrate(blueprint, settings))
            return serve(settings)


async def _migrate(blueprint: Blueprint, settings: ServiceSettings) -> None:
    engine = open_engine(settings.database_url)
    try:
        await migrate(engine, blueprint.migrations)
    finally:
        await engine.dispose()


async def _again(
    blueprint: Blueprint,
    settings: ServiceSettings,
    *,
    verify_only: bool = False,
    whole: bool = False,
    empty_only: bool = False,
) -> int:
    collect_seldom()
    engine = open_engine(settings.database_url)
    client = None
    try:
        if empty_only:
            await migrate_new(engine, blueprint.migrations)
        await require_migrated(engine, blueprint.name, blueprint.migrations)
        async with asyncio.timeout(15):
            client = await connect(settings.nats_url, blueprint.name)
        require_new_enough(client)
        work: Awaitable[Result] = (
            restore(blueprint, engine, client, tell=_teller())
            if empty_only
            else rebuild(
                blueprint,
                engine,
                client,
                verify_only=verify_only,
                whole=whole,
                snapshots=_snapshots(settings),
                tell=_teller(),
                hear=_hear,
            )
        )
        result = await work
    except TimeoutError:
        raise Conflict(
            "the broker cannot be reached, and the stream is what a rebuild reads", code="broker-down"
        ) from None
    finally:
        if client is not None:
            await client.close()
        await engine.dispose()
    _say(_report(result))
    return 0 if result.equal else 1


def _snapshots(settings: ServiceSettings) -> Snapshots | None:
    clock = clock_starting_at(settings.start_instant())
    return None if settings.snapshots is None else Snapshots(settings.snapshots, clock)


def _hear(told: Begun | Stage) -> None:
    if isinstance(told, Begun):
        taken_at = {"taken_at": written(told.taken_at)} if told.taken_at else {}
        _say({"phase": "begin", "from": told.origin, "passed": told.passed, **taken_at})
    else:
        _say({"phase": told})


def _teller() -> Progress:
    """Prints a line of progress now and then."""
    told = 0.0

    def tell(done: int, of: int, rate: float) -> None:
        nonlocal told
        now = time.monotonic()
        if now - told >= TELL_EVERY or done == of:
            told = now
            _say({"phase": "fold", "done": done, "of": of, "rate": round(rate)})

    return tell


def _report(result: Result) -> dict[str, Any]:
    return {
        "phase": "done",
        "events": result.events,
        "seconds": round(result.seconds, 3),
        "restored": result.restored,
        "began_from": result.began_from,
        "folded": result.folded,
        "swapped": result.swapped,
        "stalled": {"writers": round(result.stalled.writers, 3), "readers": round(result.stalled.readers, 3)},
        "equal": result.equal,
        "tables": {
            name: {
                "rows": table.rows,
                "digest": table.digest,
                "equal": table.equal,
                "differences": list(table.differences),
            }
            for name, table in result.tables.items()
        },
    }


def _say(line: dict[str, Any]) -> None:
    print(json.dumps(line), flush=True)  # noqa: T201


def _log_plainly() -> None:
    """One line of JSON per message, from this code and from the libraries beneath."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
    )
