"""One service's command line: `python -m services.<name> serve | migrate | rebuild [--verify] | restore`."""

import argparse
import asyncio
import gc
import json
import logging
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any, NoReturn

import structlog
import uvicorn
from fastapi import FastAPI

from shared.broker import connect, require_new_enough
from shared.database import FAULTS, open_engine
from shared.migrate import migrate, require_migrated
from shared.rebuild import rebuild
from shared.rebuilding import Progress, Result
from shared.refusals import Conflict, Refusal
from shared.relay import Halted
from shared.restore import restore
from shared.service import Blueprint
from shared.settings import ServiceSettings

COLLECTED_AFTER = 20_000
"""Containers made and not yet freed, after which the youngest are looked through for cycles (Python's own: 700)."""
TELL_EVERY = 0.2
"""Seconds between two lines of progress."""


def run_service(blueprint: Blueprint, settings: type[ServiceSettings], create: Callable[[Any], FastAPI]) -> None:
    """The whole command line of a service. Exits 0 when all is well, 1 if tables were not equal, 2 if refused."""
    parser = argparse.ArgumentParser(prog=f"python -m services.{blueprint.name}")
    verbs = parser.add_subparsers(dest="verb", required=True)
    verbs.add_parser("serve", help="answer requests until told to stop")
    verbs.add_parser("migrate", help="bring the database to the shape this version needs")
    again = verbs.add_parser("rebuild", help="prove the tables against the log, and mend them if they differ")
    again.add_argument("--verify", action="store_true", help="compare only, mend nothing")
    verbs.add_parser("restore", help="make an empty database again from the stream")
    asked = parser.parse_args()
    _log_plainly()
    try:
        sys.exit(_run(asked, blueprint, settings.from_environment(), create))
    except (Refusal, Halted) as refusal:
        _give_up(str(refusal))
    except FAULTS as fault:
        # The engine's own words name the host and the reason, and no row; a traceback would bury them.
        _give_up(f"the database of {blueprint.name} refused: {str(fault).splitlines()[0]}")


def _give_up(reason: str) -> NoReturn:
    print(json.dumps({"phase": "refused", "reason": reason}), file=sys.stderr)  # noqa: T201
    sys.exit(2)


def _run(
    asked: argparse.Namespace, blueprint: Blueprint, settings: ServiceSettings, create: Callable[[Any], FastAPI]
) -> int:
    match asked.verb:
        case "migrate":
            asyncio.run(_migrate(blueprint, settings))
            return 0
        case "rebuild":
            return asyncio.run(_again(blueprint, settings, verify_only=asked.verify))
        case "restore":
            return asyncio.run(_again(blueprint, settings, empty_only=True))
        case _:
            return _serve(settings, create(settings))


def _serve(settings: ServiceSettings, app: FastAPI) -> int:
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=5,
    )
    server = uvicorn.Server(config)
    app.state.stopping = lambda: server.should_exit
    _collect_seldom()
    server.run()
    return 0 if server.started else 3


def _collect_seldom() -> None:
    """What is loaded by now stays, and what a service remembers has no cycles: to look for them costs long pauses."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(COLLECTED_AFTER, 20, 50)


async def _migrate(blueprint: Blueprint, settings: ServiceSettings) -> None:
    engine = open_engine(settings.database_url)
    try:
        await migrate(engine, blueprint.migrations)
    finally:
        await engine.dispose()


async def _again(
    blueprint: Blueprint, settings: ServiceSettings, *, verify_only: bool = False, empty_only: bool = False
) -> int:
    engine = open_engine(settings.database_url)
    client = None
    try:
        await require_migrated(engine, blueprint.name, blueprint.migrations)
        async with asyncio.timeout(15):
            client = await connect(settings.nats_url, blueprint.name)
        require_new_enough(client)
        work: Awaitable[Result] = (
            restore(blueprint, engine, client, tell=_teller())
            if empty_only
            else rebuild(blueprint, engine, client, verify_only=verify_only, tell=_teller())
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
