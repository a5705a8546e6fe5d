"""`daybook log republish`: a lost stream made again from the three databases."""

import asyncio
from contextlib import AsyncExitStack
from typing import Annotated

import typer

from services.operator.broker import broker_of
from services.operator.log_copies import logs_of, telling
from services.operator.rebuild import resting
from services.operator.screen import AsJson, out, show_json
from services.operator.settings import OperatorSettings, operator_settings
from shared.anchor import relay_still
from shared.database import Driver
from shared.refusals import Conflict
from shared.republish import Republished, republish
from shared.stream import ensure_streams

_PATIENCE = 5.0
"""Seconds for a relay that has lost its stream to step aside."""


def republish_log(
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    replicas: Annotated[int, typer.Option(min=1, max=5, help="Copies of a stream that is not there yet.")] = 1,
    json: AsJson = False,
) -> None:
    """Make a lost stream again from the databases, byte for byte, and tell each service where it stands in it.

    Booking goes on meanwhile. Interrupted, it goes on when it is called again. Exit code 2: refused, nothing published.
    """
    if not yes:
        typer.confirm("Publish into the stream whatever it lacks of the three databases?", abort=True, err=True)
    result = asyncio.run(_republish(operator_settings(), replicas))
    if json:
        show_json(result)
    else:
        out().print(
            f"The stream holds {result.found + result.added:,} events and {result.keys:,} keys: {result.found:,} were "
            f"there, {result.added:,} were added in {result.seconds:.1f} s. The services go on by themselves."
        )


async def _republish(settings: OperatorSettings, replicas: int) -> Republished:
    async with broker_of(settings) as client, logs_of(settings) as logs, AsyncExitStack() as still:
        await ensure_streams(client, replicas=replicas)
        for service, log in logs.items():
            await _keep_still(settings, service, log, still)
        with telling("Publishing the log") as tell:
            return await republish(client, logs, tell=tell)


async def _keep_still(settings: OperatorSettings, service: str, log: Driver, still: AsyncExitStack) -> None:
    """A relay that has lost its stream steps aside by itself; a service whose relay is at work is stopped meanwhile."""
    try:
        await still.enter_async_context(relay_still(service, log, _PATIENCE))
    except Conflict:
        if settings.home.running() is None:
            raise
        await still.enter_async_context(resting(settings, service))
        await still.enter_async_context(relay_still(service, log, _PATIENCE))
