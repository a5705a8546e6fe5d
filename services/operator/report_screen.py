"""The backlog and the closing report as an operator reads them on the screen."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from services.operator.outage_screen import when
from services.operator.screen import fact_sheet, out, plain

STATES = ("displaced", "planned", "moved", "told", "to_call", "confirmed", "done")


def print_backlog(backlog: Mapping[str, Any]) -> None:
    """Where everybody stands, and how it was at the end of each day."""
    screen = out()
    screen.print(_headline(backlog), markup=False, soft_wrap=True)
    table = plain("end of", figures=[name.replace("_", " ") for name in (*STATES, "everybody")])
    for day, counts in _by_day(backlog["days"]).items():
        table.add_row(f"{date.fromisoformat(day):%-d %b}", *(f"{counts[name]:,}" for name in (*STATES, "everybody")))
    screen.print(table)


def print_report(report: Mapping[str, Any]) -> None:
    """How it went, in figures, and whether they add up."""
    screen = out()
    screen.print(f"{report['name']} ({report['outage']})", style="bold", markup=False)
    times = {name: when(at) if at else "not yet" for name, at in report["milestones"].items()}
    screen.print(fact_sheet({name.removesuffix("_at"): time for name, time in times.items()}))
    for title, name in (("What became of them", "outcomes"), ("Answers", "answers"), ("Calls", "calls")):
        screen.print(f"\n[bold]{title}")
        screen.print(fact_sheet(report[name]))
    screen.print("\n[bold]The displaced")
    screen.print(fact_sheet(_displaced(report["displaced"])))
    screen.print("\n[bold]Waits")
    screen.print(fact_sheet(report["waits"]))
    screen.print(_verdict(report))


def _headline(backlog: Mapping[str, Any]) -> str:
    now = backlog["now"]
    still_open = now["everybody"] - now["confirmed"] - now["done"]
    since = f"Nothing has been open since {when(backlog['closed_at'])}." if backlog["closed_at"] else ""
    return since or f"{backlog['name']}: {still_open:,} of {now['everybody']:,} need something yet."


def _by_day(days: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, int]]:
    """All practices together."""
    sums: dict[str, dict[str, int]] = {}
    for each in days:
        of_day = sums.setdefault(each["day"], dict.fromkeys((*STATES, "everybody"), 0))
        for name in of_day:
            of_day[name] += each["counts"][name]
    return sums


def _displaced(displaced: Mapping[str, Any]) -> dict[str, int]:
    within = {
        f"with a new time within {each['working_days']} working days": each["appointments"]
        for each in displaced["within"]
    }
    reasons = {f"  {each['reason']}": each["appointments"] for each in displaced["why"]}
    counts = {"appointments": displaced["appointments"], "moved": displaced["moved"], **within}
    return {**counts, "later than that": displaced["later"], "without a time": displaced["without_time"], **reasons}


def _verdict(report: Mapping[str, Any]) -> str:
    return "\nThe sums add up." if report["adds_up"] else "\n" + "\n".join(_wrong(report["sums"]))


def _wrong(sums: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for each in sums:
        if not each["agrees"]:
            yield f"WRONG: {each['what']}: {each['log']:,} by the log, {each['other']:,} by {each['other_side']}"
