"""`daybook continuity-pack`: the next days' lists on paper and on disk, for when nothing else can be had."""

import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from datetime import time as TimeOfDay
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from services.operator.continuity_nights import keep_nightly, time_of_day
from services.operator.day_lists import MOST_DAYS, DayList, ask_now, ask_practices, next_days
from services.operator.naming import ods_code
from services.operator.screen import AsJson, err, out, show_json
from services.operator.settings import OperatorSettings, operator_settings
from shared.clock import Clock, clock_starting_at
from shared.refusals import Refusal

if TYPE_CHECKING:
    from services.operator.continuity_pack import Shelf, Written

_CHECKED_AGE = timedelta(hours=26)
"""A pack of every night, and time to write it."""


def continuity_pack(
    days: Annotated[int, typer.Option(min=1, max=MOST_DAYS, help="The next so many days with sessions.")] = 3,
    practice: Annotated[list[str] | None, typer.Option(help="ODS code; more than once for more; none for all.")] = None,
    to: Annotated[Path | None, typer.Option(help="The folder of the packs (continuity in DAYBOOK_HOME).")] = None,
    keep: Annotated[int, typer.Option(min=1, max=366, help="How many packs stay.")] = 5,
    every_night: Annotated[
        str, typer.Option(metavar="HH:MM", help="Stay, and write one each night, London time.")
    ] = "",
    check: Annotated[
        bool, typer.Option("--check", help="Write none; say whether the newest is whole and new.")
    ] = False,
    json: AsJson = False,
) -> None:
    """Write every practice's lists of the next days, with telephone numbers, as web pages, PDF and CSV.

    The folder works without network: open index.html in `current`. Exit code 1 if --check finds fault.
    """
    settings = operator_settings()
    shelf, clock = _shelf(settings, to, practice), clock_starting_at(settings.now)
    if check:
        _check(shelf, clock.now(), as_json=json)
    codes = [ods_code(code) for code in practice or ()]

    def write() -> "Written":
        now = ask_now(settings)
        return shelf.write(_lists(settings, codes, now, days), now, keep)

    if every_night:
        _every_night(write, shelf, clock, time_of_day(every_night, "--every-night"))
    written = write()
    if json:
        show_json(_facts(written))
    else:
        out().print(_sentence(written), soft_wrap=True, markup=False)


def _shelf(settings: OperatorSettings, to: Path | None, practice: list[str] | None) -> "Shelf":
    # Here, because fonts and PDF take a third of a second to load, and no other command should wait for them.
    from services.operator.continuity_pack import Shelf

    if practice and to is None:
        raise Refusal(
            "a pack of some practices alone would take the place of the whole county's: say with --to where it goes",
            code="which-folder",
            where="--to",
        )
    return Shelf((to or settings.home.root / "continuity").absolute())


def _lists(settings: OperatorSettings, codes: list[str], now: datetime, days: int) -> Iterator[DayList]:
    """One practice after another, as they are written."""
    for code in codes or ask_practices(settings):
        yield next_days(settings, code, now, days)


def _every_night(write: "Callable[[], Written]", shelf: "Shelf", clock: Clock, at: TimeOfDay) -> NoReturn:
    def write_and_tell() -> None:
        _tell(_sentence(write()))

    keep_nightly(write_and_tell, shelf.newest, clock.now, at, time.sleep, _tell)


def _tell(sentence: str) -> None:
    err().print(sentence, soft_wrap=True, markup=False)


def _check(shelf: "Shelf", now: datetime, *, as_json: bool) -> NoReturn:
    try:
        pack = shelf.require_whole(now - _CHECKED_AGE)
    except Refusal as refusal:
        found, sentence = {"whole": False, "reason": refusal.message}, refusal.message
    else:
        found, sentence = {"whole": True, "pack": str(pack)}, f"{pack} is whole."
    show_json(found) if as_json else out().print(sentence, soft_wrap=True, markup=False)
    raise typer.Exit(0 if found["whole"] else 1)


def _facts(written: "Written") -> dict[str, str | int]:
    return {
        "pack": str(written.pack),
        "practices": written.practices,
        "sheets": written.sheets,
        "appointments": written.appointments,
    }


def _sentence(written: "Written") -> str:
    return (
        f"{written.sheets:,} sheets of {written.practices:,} practices, {written.appointments:,} appointments: "
        f"{written.pack / 'index.html'}"
    )
