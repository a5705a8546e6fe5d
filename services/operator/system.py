"""`daybook up`, `daybook status` and `daybook streams`: the system as a whole."""

import asyncio
import signal
from typing import Annotated

import typer
from rich.table import Table

from services.operator.broker import make_streams
from services.operator.control import ChildView
from services.operator.screen import AsJson, err, out, show_json
from services.operator.settings import OperatorSettings, operator_settings
from services.operator.status import ServiceView, look
from services.operator.supervisor import Supervisor


def up() -> None:
    """Start everything on this machine, say where it is, and keep it running until interrupted."""
    asyncio.run(_up(operator_settings()))


def status(json: AsJson = False) -> None:
    """How every service stands. Exit code 1 if anything is not up."""
    view = asyncio.run(look(operator_settings()))
    if json:
        show_json(view)
    else:
        out().print(services_table(view.services))
        if view.processes:
            out().print(processes_table(view.processes))
    if not view.is_well:
        raise typer.Exit(1)


stream_commands = typer.Typer(help="The streams of the log, on a broker that `daybook up` does not run.")


@stream_commands.callback()
def _streams() -> None:
    """Keeps `ensure` a word of its own while it is the only one."""


@stream_commands.command()
def ensure(
    replicas: Annotated[int, typer.Option(min=1, max=5, help="Copies of each, on as many nodes of a cluster.")] = 1,
) -> None:
    """Make the streams unless they are there; refuse what could lose events."""
    asyncio.run(make_streams(operator_settings(), replicas=replicas))
    out().print("The streams DAYBOOK and DAYBOOK_KEYS are there.")


async def _up(settings: OperatorSettings) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    supervisor = Supervisor(settings, out().print)
    err().print(f"Starting Daybook in {settings.home.root} …")
    told_to_stop = asyncio.create_task(stop.wait())
    starting = asyncio.create_task(supervisor.start())
    await asyncio.wait({starting, told_to_stop}, return_when=asyncio.FIRST_COMPLETED)
    if not starting.done():
        starting.cancel()
        await asyncio.gather(starting, return_exceptions=True)
        return
    await starting
    out().print(processes_table(supervisor.children()))
    out().print(f"Everything is up: {settings.urls['operator']} shows it. Ctrl-C stops it.")
    await told_to_stop
    err().print("Stopping …")
    await supervisor.stop()


def processes_table(children: tuple[ChildView, ...]) -> Table:
    table = Table("process", "state", "address", "pid", "log", title="Daybook", title_justify="left")
    for child in children:
        again = f", {child.restarts} restarts" if child.restarts else ""
        table.add_row(child.name, f"{child.state}{again}", child.address, str(child.pid or "-"), child.log)
    return table


def services_table(services: tuple[ServiceView, ...]) -> Table:
    table = Table(
        "service", "state", "position", "relay lag", "behind", "parked", title="Services", title_justify="left"
    )
    for service in services:
        behind = ", ".join(f"{count:,} of {source}" for source, count in service.behind.items() if count)
        counts = ("-" if count is None else f"{count:,}" for count in (service.position, service.relay_lag))
        table.add_row(service.service, service.state, *counts, behind, str(service.parked or ""))
    return table
