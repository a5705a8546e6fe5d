"""`daybook log restore`: a service's lost database made again from the stream."""

import asyncio
from typing import Annotated, Any

import typer

from services.operator.broker import broker_of
from services.operator.databases import connected, is_empty, set_aside
from services.operator.machine import Machine
from services.operator.rebuild import require_service, resting, restore, show_result
from services.operator.screen import AsJson, err, show_json
from services.operator.settings import OperatorSettings, operator_settings
from shared.clock import clock_starting_at
from shared.refusals import Conflict
from shared.walking import copied_of, head_of, info_of


def restore_log(
    service: Annotated[str, typer.Argument(help="booking, rebooking or notifications")],
    aside: Annotated[
        bool, typer.Option("--set-aside", help="If the database is not empty, keep it under another name.")
    ] = False,
    json: AsJson = False,
) -> None:
    """Make a service's lost database again from the stream: its events, then its tables. Nothing is done twice.

    Refused if the database is not empty; `daybook rebuild` proves and mends the tables of one whose log is right.
    """
    require_service(service)
    result = asyncio.run(_restore(operator_settings(), service, aside=aside))
    show_json(result) if json else show_result(service, result)


async def _restore(settings: OperatorSettings, service: str, *, aside: bool) -> dict[str, Any]:
    machine = Machine(settings, clock_starting_at(settings.now))
    if await is_empty(settings, service):
        return await restore(settings, machine, service)
    if not aside:
        raise Conflict(
            f"the database of {service} is not empty: nothing was restored. `daybook rebuild {service}` proves its "
            f"tables; if its log is wrong, `daybook log restore {service} --set-aside` keeps it under another name "
            "and makes a new one",
            code="not-empty",
            where=service,
        )
    async with resting(settings, service):
        await _require_whole_stream(settings, service)
        name = await set_aside(settings, service)
        err().print(f"What was the database of {service} is now {name}, on the same server.")
        return await restore(settings, machine, service)


async def _require_whole_stream(settings: OperatorSettings, service: str) -> None:
    """Raises `Refusal` if the stream has less of this log than the database that is to be replaced."""
    async with broker_of(settings) as client, connected(settings.database_url(service)) as database:
        head = await head_of(service, database)
        await info_of(client)
        held = await copied_of(service, client)
    if held < head:
        raise Conflict(
            f"the stream holds {held} events of {service}, its database {head}: nothing was restored, since the rest "
            "would be lost. `daybook log republish` adds what the stream lacks",
            code="shorter-stream",
            where=service,
        )
