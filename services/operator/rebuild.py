"""`daybook rebuild`: a service's tables made again from the stream, and compared with what they were."""

import asyncio
import signal
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Annotated, Any

import msgspec
import typer
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table

from services.operator.control import Request, ask
from services.operator.databases import ensure_database, is_empty
from services.operator.machine import Machine
from services.operator.screen import AsJson, err, out, show_json
from services.operator.settings import SERVICES, OperatorSettings, operator_settings
from shared.clock import clock_starting_at
from shared.rebuilding import INTERRUPTED
from shared.refusals import Conflict, NotFound, Refusal


class Interrupted(Exception):
    """The service's command was stopped before its end."""


def rebuild(
    service: Annotated[str, typer.Argument(help="booking, rebooking or notifications")],
    verify: Annotated[bool, typer.Option("--verify", help="Compare only; change nothing.")] = False,
    whole: Annotated[bool, typer.Option("--whole", help="From the first event on, not from a snapshot.")] = False,
    json: AsJson = False,
) -> None:
    """Make a service's tables again from the log, compare them, and swap them in, while it goes on working.

    If its database has gone, that is made again too. Interrupted, the same command goes on where it stopped.

    Exit code 0: equal. 1: not equal, and, without --verify, mended. 2: refused. 130: interrupted.
    """
    require_service(service)
    settings = operator_settings()
    lost = asyncio.run(is_empty(settings, service))
    try:
        result = asyncio.run(_rebuild(settings, service, lost=lost, verify=verify, whole=whole))
    except (KeyboardInterrupt, Interrupted):
        err().print(_interrupted(service, lost=lost), markup=False, soft_wrap=True)
        raise typer.Exit(INTERRUPTED) from None
    show_json(result) if json else show_result(service, result)
    if not result["equal"]:
        raise typer.Exit(1)


async def _rebuild(
    settings: OperatorSettings, service: str, *, lost: bool, verify: bool, whole: bool
) -> dict[str, Any]:
    machine = Machine(settings, clock_starting_at(settings.now))
    if not lost:
        asked = {"--verify": verify, "--whole": whole}
        return await fold(machine, service, "rebuild", *(option for option, given in asked.items() if given))
    if verify:
        raise Conflict(
            f"the database of {service} is empty, so there is nothing to verify; without --verify it is made again",
            code="nothing-to-verify",
        )
    return await restore(settings, machine, service)


def _interrupted(service: str, *, lost: bool) -> str:
    if lost:
        return (
            f"Interrupted. The database of {service} is half made: `daybook log restore {service} --set-aside` puts it "
            "aside and begins again"
        )
    return (
        f"Interrupted. The tables in use are as they were, and what was folded stays: `daybook rebuild {service}` goes "
        "on from there"
    )


async def restore(settings: OperatorSettings, machine: Machine, service: str) -> dict[str, Any]:
    """Make a database that is gone or empty again from the stream, the service's process stopped meanwhile."""
    async with resting(settings, service):
        await ensure_database(settings, service)
        return await fold(machine, service, "restore")


def require_service(service: str) -> None:
    """Raises `NotFound` if there is no such service."""
    if service not in SERVICES:
        raise NotFound(
            f"there is no service “{service}”, only {', '.join(SERVICES)}", code="no-service", where="SERVICE"
        )


async def fold(machine: Machine, service: str, *arguments: str) -> dict[str, Any]:
    """Run the service's own command, draw its progress, and return the last thing it said. Raises `Refusal`.

    Interrupted, it interrupts the command, and waits until that has ended. Raises `Interrupted` if somebody else did.
    """
    process = await asyncio.create_subprocess_exec(
        *machine.command(service, *arguments),
        env=machine.environment(),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        limit=64 * 1024 * 1024,
        # Of its own, so that Ctrl-C reaches it once, through us.
        process_group=0,
    )
    if process.stdout is None or process.stderr is None:
        raise RuntimeError("a pipe was asked for and none was given")
    complaints = asyncio.create_task(process.stderr.read())
    said: dict[str, Any] = {}
    try:
        with folding() as progress:
            task = progress.add_task(f"Folding the log of {service}", total=None, rate=0)
            async for line in process.stdout:
                said = msgspec.json.decode(line, type=dict[str, Any])
                _draw(progress, task, service, said)
        code = await process.wait()
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGINT)
            await asyncio.gather(process.stdout.read(), complaints, process.wait())
    if code == INTERRUPTED:
        raise Interrupted
    if code not in (0, 1) or said.get("phase") != "done":
        raise _refusal(service, (await complaints).decode(errors="replace"))
    return said


def _draw(progress: Progress, task: TaskID, service: str, said: Mapping[str, Any]) -> None:
    match said:
        case {"phase": "fold", "done": done, "of": of, "rate": rate}:
            progress.update(task, completed=done, total=of, rate=rate)
        case {"phase": "begin", "from": "interrupted", "passed": passed}:
            progress.reset(task, completed=passed)
            progress.console.print(f"going on from event {passed:,}, where it was interrupted")
        case {"phase": "begin", "from": "snapshot", "passed": passed, "taken_at": taken_at}:
            progress.reset(task, completed=passed)
            progress.console.print(f"from the snapshot of {taken_at}, at event {passed:,}")
        case {"phase": phase} if phase in _STAGES:
            progress.update(task, description=f"Folding the log of {service}: {_STAGES[phase]}")


_STAGES = {
    "indexes": "making the indexes",
    "proof": "comparing",
    "snapshot": "keeping a snapshot",
    "swap": "swapping the tables in",
}


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
    rate = result["folded"] / max(result["seconds"], 1e-6)
    verdict = "made again" if result["restored"] else "equal" if result["equal"] else "NOT equal"
    out().print(
        f"{service} is {verdict}: {result['folded']:,} events in {result['seconds']:.1f} s, {rate:,.0f} events/s"
    )
    if result["swapped"]:
        stalled = result["stalled"]
        out().print(
            f"The tables made again are in use. Writing waited {stalled['writers']:.2f} s at the longest, reading "
            f"{stalled['readers']:.2f} s"
        )


def folding() -> Progress:
    """A bar that shows how many events of how many, how fast, since when, and how long it will take."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]:,.0f} events/s"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        console=err(),
    )
