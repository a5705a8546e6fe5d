"""`make chaos`: run after run of the crash suite, each with the next seed, until the time is over or one fails.

python -m tests.chaos --minutes 30 --seed 1 --report report.md
python -m tests.chaos county --appointments 4000
"""

import asyncio
import shutil
import tempfile
from pathlib import Path
from time import monotonic
from typing import Annotated

import typer

from tests.chaos.county import county
from tests.chaos.cycle import Run, run
from tests.chaos.report import line, never_happened, story, table
from tests.chaos.schedule import schedule_of

SECONDS, EVERY = 45.0, 5.0
"""How long clients work in one run, and how often something is done to the services."""
LONG = 15.0
"""Minutes from which on nothing may have been left out."""

app = typer.Typer(help="The crash suite.", add_completion=False, pretty_exceptions_enable=False)
app.command()(county)


@app.callback(invoke_without_command=True)
def chaos(
    context: typer.Context,
    minutes: Annotated[float, typer.Option(min=0, help="Run after run is begun until so many are over.")] = 3.0,
    seed: Annotated[int, typer.Option(min=0, help="Of the first run; each further one has the next.")] = 1,
    seconds: Annotated[float, typer.Option(min=5, help="How long clients work in each run.")] = SECONDS,
    every: Annotated[float, typer.Option(min=1, help="Seconds between two faults, on average.")] = EVERY,
    report: Annotated[Path | None, typer.Option(help="Write a table of all runs into this file.")] = None,
) -> None:
    """Hurt a small county, seed after seed, and check all that was promised; exit code 0 if it was kept."""
    if context.invoked_subcommand:
        return
    runs: list[Run] = []
    until = monotonic() + 60 * minutes
    while not runs or (monotonic() < until and not runs[-1].violations):
        runs.append(_one(seed + len(runs), seconds, every))
        if report is not None:
            report.write_text(table(runs))
    typer.echo(table(runs))
    missing = never_happened(runs)
    if missing:
        typer.echo(f"Never happened: {', '.join(missing)}.")
    if runs[-1].violations or (missing and minutes >= LONG):
        raise typer.Exit(1)


def _one(seed: int, seconds: float, every: float) -> Run:
    schedule = schedule_of(seed, seconds, every)
    typer.echo(str(schedule))
    home = Path(tempfile.mkdtemp(prefix="daybook-chaos-"))
    ran = asyncio.run(run(schedule, home / "home", lambda said: typer.echo(f"    {said}")))
    typer.echo(line(ran))
    if ran.violations:
        typer.echo(story(ran))
        typer.echo(f"What it left is in {home}: logs, databases, the gateway's journal.")
    else:
        shutil.rmtree(home)
    return ran


if __name__ == "__main__":
    app()
