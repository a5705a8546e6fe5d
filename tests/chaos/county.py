"""Rebooking, booking and NATS are killed in the middle of a county's moves, and all ends once each.

    python -m tests.chaos county --appointments 4000

What the log must say afterwards is what the journeys ask of a small district; this asks it of up to a whole county.
"""

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from services.operator.county import MOST_APPOINTMENTS
from services.operator.demo_loading import PRACTICES_OF_A_COUNTY
from shared.refusals import Refusal
from tests.journeys.recovery import (
    Recovery,
    approve,
    district_of,
    fill,
    finished,
    plan,
    require_all_went_to_plan,
)
from tests.journeys.running import Daybook, daybook_up, until
from tests.journeys.test_killed import kill

A_COUNTY = 34_000
VICTIMS = {"rebooking": 0.15, "booking": 0.4, "nats": 0.65}
"""Who is killed, and after which share of the moves."""
PATIENCE = 900.0


def county(
    appointments: Annotated[
        int, typer.Option(min=200, max=MOST_APPOINTMENTS, help="Appointments on the lost Friday.")
    ] = A_COUNTY,
) -> None:
    """Kill what moves a county, while it does; exit code 0 if in the end every move was made and told, once."""
    practices = max(3, min(PRACTICES_OF_A_COUNTY, appointments * PRACTICES_OF_A_COUNTY // A_COUNTY))
    with tempfile.TemporaryDirectory() as home, daybook_up(Path(home) / "home", NOTIFICATIONS_RATE="1000") as daybook:
        with _stage(f"Fill {practices} practices, {appointments:,} appointments on the lost day"):
            district = district_of(practices, appointments)
            fill(daybook, district, within=PATIENCE)
        with _stage("Declare, reconcile, plan"):
            recovery = plan(daybook, district, within=PATIENCE)
        with _stage(f"Move {recovery.placed:,}, while {', '.join(VICTIMS)} are killed"):
            _move(daybook, recovery)
        with _stage("Count, from the log"):
            require_all_went_to_plan(daybook, recovery)
    typer.echo(f"{recovery.placed:,} moves, each made once and told once; nobody is booked twice.")


def _move(daybook: Daybook, recovery: Recovery) -> None:
    before = _position(daybook)

    def moved() -> int:
        """Each move is two events of booking; while that does not answer, nobody knows."""
        return (_position(daybook) - before) // 2

    approve(daybook, recovery)
    for victim, share in VICTIMS.items():
        until(f"{share:.0%} are moved", partial(_is_reached, moved, share * recovery.placed), within=PATIENCE)
        at = moved()
        kill(daybook, [victim])
        typer.echo(f"  {victim} killed after {at:,} moves")
        assert at < recovery.placed, f"all was moved before {victim} was killed: take more appointments"
    finished(daybook, recovery, within=PATIENCE)


def _is_reached(moved: Callable[[], int], enough: float) -> bool:
    return moved() >= enough


def _position(daybook: Daybook) -> int:
    """How many events booking has recorded, as far as it says."""
    try:
        return int(daybook.ask("booking", "GET", "/v1/status")["position"])
    except Refusal:
        return 0


@contextmanager
def _stage(name: str) -> Iterator[None]:
    typer.echo(name)
    began = time.monotonic()
    yield
    typer.echo(f"  {time.monotonic() - began:.1f} s")
