"""`daybook log verify`: whether the databases and the stream hold the same log, and if not, where they first differ."""

import asyncio

import typer
from rich.table import Table

from services.operator.broker import broker_of
from services.operator.log_copies import logs_of, telling
from services.operator.screen import AsJson, out, show_json
from services.operator.settings import OperatorSettings, operator_settings
from shared.verify import Verified, verify


def verify_log(json: AsJson = False) -> None:
    """Compare both copies of the log event by event, while the services work, and name the first difference.

    Exit code 0: equal. 1: they differ. 2: refused.
    """
    verified = asyncio.run(_verify(operator_settings()))
    show_json(verified) if json else _show(verified)
    if not verified.equal:
        raise typer.Exit(1)


async def _verify(settings: OperatorSettings) -> Verified:
    async with broker_of(settings) as client, logs_of(settings) as logs:
        with telling("Comparing both copies") as tell:
            return await verify(client, logs, tell=tell)


def _show(verified: Verified) -> None:
    table = Table("service", "equal", "database", "stream", "keys", "digest", title="Both copies", title_justify="left")
    for service, reach in verified.services.items():
        counts = (f"{count:,}" for count in (reach.equal, reach.database, reach.stream, reach.keys))
        table.add_row(service, *counts, reach.digest[:16] or "-")
    out().print(table)
    for service, reach in verified.services.items():
        if verified.equal and (ahead := reach.database - reach.stream):
            out().print(f"{ahead:,} events of {service} are still to be copied to the stream.")
    if verified.difference is None:
        out().print(f"Both copies are equal: {verified.events:,} events in {verified.seconds:.1f} s.")
    else:
        out().print(f"They differ: {verified.difference.what}.", markup=False, soft_wrap=True)
        out().print(f"{verified.difference.advice}.", markup=False, soft_wrap=True)
