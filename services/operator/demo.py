"""`daybook demo`: a county's lost day from end to end on this machine, and then the count of what became of it."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from services.operator.bearer import GIVEN, GIVEN_FILE
from services.operator.county import MOST_APPOINTMENTS
from services.operator.demo_answers import patients_answer
from services.operator.demo_booking import book_meanwhile, free_slot
from services.operator.demo_count import Counted, count
from services.operator.demo_home import REPORT, make_fresh
from services.operator.demo_loading import County, load, make_up
from services.operator.demo_papers import keep_papers
from services.operator.demo_rebuild import lose_and_rebuild
from services.operator.demo_recovery import declare, reconcile, recover, settle
from services.operator.demo_report import Expected, Rebuilt, Replies, Report, Seconds, faults, figures
from services.operator.demo_screen import Screen
from services.operator.demo_services import Place, at_rest, place
from services.operator.home import Home, home_of
from services.operator.screen import err, out
from services.operator.settings import NEVER, operator_settings
from services.operator.supervisor import Supervisor

WORST_MONDAY = "2024-07-22T08:05:00+01:00"
MESSAGES_A_SECOND = "1000"
"""The sandbox has no limit; GOV.UK Notify, at 50 a second, would need some minutes."""


@dataclass(frozen=True, slots=True)
class Options:
    """What the demo was asked for."""

    appointments: int
    practices: Path | None
    report: Path | None
    seed: int
    keep: bool


def demo(
    appointments: Annotated[
        int, typer.Option(min=1, max=MOST_APPOINTMENTS, help="Appointments on the lost Friday.")
    ] = 34_000,
    practices: Annotated[
        Path | None, typer.Option(help="CSV of practices, ods_code,name,town,… Without it, made-up ones.")
    ] = None,
    report: Annotated[Path | None, typer.Option(help="Write the report here too.")] = None,
    seed: Annotated[int, typer.Option(help="Another number makes another county.")] = 2024,
    keep: Annotated[bool, typer.Option("--keep", help="Leave everything running at the end, until Ctrl-C.")] = False,
) -> None:
    """A county loses a Friday and gets it back: from an empty DAYBOOK_HOME to the last reply, in some minutes.

    Exit code 0: nothing was lost or doubled, and the rebuilt service equals what it was. 1: something was.
    """
    home = home_of(os.environ)
    try:
        found = asyncio.run(_lost_day(Options(appointments, practices, report, seed, keep), home))
    except (KeyboardInterrupt, asyncio.CancelledError):
        err().print(
            f"Interrupted. Everything that was started has been stopped. Logs: {home.logs}",
            markup=False,
            soft_wrap=True,
        )
        raise typer.Exit(130) from None
    except Exception:
        err().print(f"The demo did not come to its end. Logs: {home.logs}", markup=False, soft_wrap=True)
        raise
    if found:
        raise typer.Exit(1)


async def _lost_day(options: Options, home: Home) -> tuple[str, ...]:
    """The whole day; returns what is wrong with it."""
    _let_sigterm_interrupt()
    began = time.monotonic()
    async with AsyncExitStack() as stack:
        with Screen(err()) as screen:
            county = make_up(screen, options.practices, options.appointments, options.seed)
            make_fresh(home)
            here = await stack.enter_async_context(_everything_running(home, screen))
            report, expected = await _live_through(here, county, began)
        found = faults(report, expected)
        _publish(report, found, [home.root / REPORT, *([options.report] if options.report else [])])
        if options.keep:
            await _stay_up(here)
    return found


@asynccontextmanager
async def _everything_running(home: Home, screen: Screen) -> AsyncIterator[Place]:
    supervisor = Supervisor(operator_settings(_environment(home)), screen.says)
    with screen.stage("Start PostgreSQL, NATS and services"):
        await supervisor.start()
    try:
        async with place(supervisor, screen) as here:
            yield here
    finally:
        screen.says("Stopping …")
        await supervisor.stop()


async def _stay_up(here: Place) -> None:
    """Until Ctrl-C, which then is no failure."""
    here.screen.says(f"Everything stays up: {here.supervisor.settings.urls['operator']} shows it. Ctrl-C stops it.")
    with suppress(asyncio.CancelledError):
        await asyncio.Event().wait()


async def _live_through(here: Place, county: County, began: float) -> tuple[Report, Expected]:
    """From the diaries to the last reply, and the loss of a database; then everything is counted."""
    importing = await load(here, county)
    await at_rest(here)
    outage = await declare(here)
    await reconcile(here, outage, county.paper)
    recovery = await recover(here, outage)
    replies = await patients_answer(here, outage)
    await settle(here, outage)
    system, slot = await free_slot(here, [practice.ods_code for practice in county.practices])
    rebuilt = {
        "rebooking": await lose_and_rebuild(
            here, "rebooking", partial(book_meanwhile, system, slot), leave_out=slot["id"]
        ),
        "notifications": await lose_and_rebuild(here, "notifications", leave_out=slot["id"]),
    }
    counted = await count(here, outage)
    await keep_papers(here, outage)
    seconds = Seconds(
        generate=county.seconds,
        importing=importing,
        plan=recovery.plan,
        move=recovery.move,
        messages_planned=recovery.messages_planned,
        total=time.monotonic() - began,
    )
    return _report(counted, rebuilt, seconds), _expected(counted, county, replies)


def _report(counted: Counted, rebuilt: dict[str, Rebuilt], seconds: Seconds) -> Report:
    booked, recovered, told = counted.booked, counted.recovered, counted.told
    return Report(
        practices=booked.practices,
        appointments=booked.appointments,
        seen_on_paper=recovered.seen_on_paper,
        cancelled=recovered.cancelled,
        triage=recovered.triage,
        displaced=recovered.displaced,
        planned=recovered.planned,
        moved=recovered.moved,
        unplaced=recovered.unplaced,
        messages_planned=told.planned,
        messages_accepted=told.accepted,
        messages_duplicated=told.doubled + counted.texted_twice,
        confirmations=told.confirmations,
        replies=told.replies,
        double_booked=booked.double_booked,
        ring_fenced_used=booked.ring_fenced_used,
        fresh_offers=recovered.moves - recovered.moved,
        another_time_to_call=recovered.another_time_to_call,
        rebuilt=rebuilt,
        seconds=seconds,
    )


def _expected(counted: Counted, county: County, replies: Replies) -> Expected:
    return Expected(
        practices=len(county.practices),
        appointments=sum(len(diary.lost_day) for diary in county.diaries),
        seen_on_paper=county.paper.seen,
        cancelled=county.paper.cancelled,
        moves_at_booking=counted.booked.moves,
        textable_moves=counted.booked.textable_moves,
        confirmations_planned=counted.told.confirmations_planned,
        at_gateway=counted.at_gateway,
        replies=replies,
        offers=counted.recovered.answers,
        cancelled_by_patients=counted.booked.cancelled_by_patients,
    )


def _publish(report: Report, found: tuple[str, ...], files: list[Path]) -> None:
    """For people on the screen, for programs as JSON."""
    text = msgspec.json.format(msgspec.json.encode(report), indent=2)
    for file in files:
        file.write_bytes(text + b"\n")
    out().print(figures(report))
    for fault in found:
        out().print(f"WRONG: {fault}", style="red", markup=False)
    verdict = f"{len(found)} figures are wrong" if found else "Nothing was lost or doubled"
    out().print(f"{verdict}. The figures are in {files[-1]}.", style="bold", markup=False, soft_wrap=True)


def _environment(home: Home) -> Mapping[str, str]:
    """What was given, but for other people's servers: the demo brings, fills and destroys its own."""
    others = ("_DATABASE_URL", "_NATS_URL", "_GATEWAY_URL", "_CALLBACK_URL", "_TOKEN_KEYS", GIVEN, GIVEN_FILE)
    given = {name: value for name, value in os.environ.items() if not name.endswith(others)}
    return {
        "NOTIFICATIONS_RATE": MESSAGES_A_SECOND,
        "NOTIFICATIONS_REMINDERS": "false",
        **given,
        "DAYBOOK_HOME": str(home.root),
        "DAYBOOK_NOW": WORST_MONDAY,
        "DAYBOOK_CONTINUITY_AT": NEVER,
    }


def _let_sigterm_interrupt() -> None:
    """`kill` ends the demo as Ctrl-C does: everything it started is stopped."""
    if task := asyncio.current_task():
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
