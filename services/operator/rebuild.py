"""`daybook rebuild`: a service's tables made again from the stream, and compared with what they were."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

import msgspec
import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from services.operator.control import Request, ask
from services.operator.databases import ensure_database, is_empty
from services.operator.machine import Machine
from services.operator.screen import AsJson, err, out, show_json
from services.operator.settings import SERVICES, OperatorSettings, operator_settings
from shared.clock import clock_starting_at
from shared.refusals import Conflict, NotFound, Refusal


def rebuild(
    service: Annotated[str, typer.Argument(help="booking, rebooking or notifications")],
    verify: Annotated[bool, typer.Option("--verify", help="Compare only; change nothing.")] = False,
    json: AsJson = False,
) -> None:
    """Make a service's tables again from the stream, while it goes on working; if its database has gone, that too.

    Exit code 0: equal. 1: not equal, and, without --verify, mended. 2: refused.
    """
    require_service(service)
    result = asyncio.run(_rebuild(operator_settings(), service, verify))
    show_json(result) if json else show_result(service, result)
    if not result["equal"]:
        raise typer.Exit(1)


async def _rebuild(settings: OperatorSettings, service: str, verify: bool) -> dict[str, Any]:
    machine = Machine(settings, clock_starting_at(settings.now))
    arguments = ["rebuild", *(["--verify"] if verify else [])]
    if not await is_empty(settings, service):
        return await fold(machine, service, *arguments)
    if verify:
        raise Conflict(
            f"the database of {service} is empty, so there is nothing to verify; without --verify it is made again",
            code="nothing-to-verify",
        )
    return await restore(settings, machine, service)


async def restore(settings: OperatorSettings, machine: Machine, service: str) -> dict[str, Any]:
    """Make a database that is gone or empty again from the stream, the service's process stopped meanwhile."""
    async with resting(settings, service):
        await ensure_database(settings, service)
        await machine.run(service, "migrate")
        return await fold(machine, service, "restore")


def require_service(service: str) -> None:
    """Raises `NotFound` if there is no such service."""
    if service not in SERVICES:
        raise NotFound(
            f"there is no service “{service}”, only {', '.join(SERVICES)}", code="no-service", where="SERVICE"
        )


async def fold(machine: Machine, service: str, *arguments: str) -> dict[str, Any]:
    """Run the service's own command, draw its progress, and return the last thing it said. Raises `Refusal`."""
    process = await asyncio.create_subprocess_exec(
        *machine.command(service, *arguments),
        env=machine.environment(),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        limit=64 * 1024 * 1024,
    )
    if process.stdout is None or process.stderr is None:
        raise RuntimeError("a pipe was asked for and none was given")
    complaints = asyncio.create_task(process.stderr.read())
    said: dict[str, Any] = {}
    with folding() as progress:
        task = progress.add_task(f"Folding the log of {service}", total=None, rate=0)
        async for line in process.stdout:
            said = msgspec.json.decode(line, type=dict[str, Any])
            if said["phase"] == "fold":
                progress.update(task, completed=said["done"], total=said["of"], rate=said["rate"])
    if await process.wait() not in (0, 1):
        raise _refusal(service, (await complaints).decode(errors="replace"))
    return said


@asynccontextmanager
async def resting(settings: OperatorSettings, service: str) -> AsyncIterator[None]:
    """The service's process stopped meanwhile, if the supervisor runs it."""
    running = settings.home.running()
    if running is None:
        yield
        return
    await ask(running.control, Request(do="stop", child=service))
    try:
        yield
    finally:
        await ask(running.control, Request(do="start", child=service))


def _refusal(service: str, complaints: str) -> Refusal:
    """The reason from the last line that gives one, else that line itself."""
    lines = [line for line in complaints.splitlines() if line.strip()]
    try:
        reason = str(msgspec.json.decode(lines[-1], type=dict[str, Any])["reason"])
    except (IndexError, KeyError, msgspec.MsgspecError):
        reason = lines[-1] if lines else "it did not say why"
    return Refusal(f"{service} was not rebuilt: {reason}", code="not-rebuilt", where=service)


def show_result(service: str, result: dict[str, Any]) -> None:
    """What a rebuild or a restore came to, table by table."""
    table = Table(
        "table", "rows", "digest", "", title=f"{service}, from {result['events']:,} events", title_justify="left"
    )
    for name, facts in result["tables"].items():
        verdict = "equal" if facts["equal"] else "[red]differs[/red]"
        table.add_row(name, f"{facts['rows']:,}", facts["digest"].partition(":")[2], verdict)
    out().print(table)
    for name, facts in result["tables"].items():
        for difference in facts["differences"]:
            out().print(f"{name}: {difference}", markup=False)
    rate = result["events"] / max(result["seconds"], 1e-6)
    verdict = "made again" if result.get("restored") else "equal" if result["equal"] else "NOT equal"
    out().print(
        f"{service} is {verdict}: {result['events']:,} events in {result['seconds']:.1f} s, {rate:,.0f} events/s"
    )


def folding() -> Progress:
    """A bar that shows how many events of how many, how fast, and since when."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]:,.0f} events/s"),
        TimeElapsedColumn(),
        console=err(),
    )
