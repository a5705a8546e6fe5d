"""Searching for free slots of fourteen days, of one practice and of the whole county, among all its open slots."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from urllib.parse import urlencode

from benchmarks.alike import alike_in_searching
from benchmarks.county import County
from benchmarks.figures import Figures, figures, median_of, spread, table
from benchmarks.load import Plan
from benchmarks.report import Report
from benchmarks.stand import App, Length, Stand, load
from services.booking.fhir.resources import ODS_CODE

SLOWEST = 50.0
"""The promise: Daybook's p99 in milliseconds."""

_PLACES = 200
"""So many different searches are made, over and over."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is searched, and by how many clients: each at once when it has its answer, or `every` so many seconds.

    `promised`: the p99 of it is part of the promise. Of clients that ask as fast as they are answered it is not: they
    make a queue, and its length is how long they wait.
    """

    name: str
    clients: int
    every: float = 0.0
    of_one_practice: bool = True
    promised: bool = True


QUESTIONS = (
    Question("one practice, 1 client", 1),
    Question("one practice, 16 clients, 64 a second", 16, every=0.25),
    Question("one practice, 16 clients at once", 16, promised=False),
    Question("whole county, 1 client", 1, of_one_practice=False),
)


@dataclass(slots=True)
class Searched:
    """What one app did with a question, round by round, and what was wrong with its answers."""

    app: str
    question: Question
    rounds: list[Figures] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    @property
    def kept(self) -> bool:
        """Whether the promise was kept, as far as it is about this."""
        return self.app != "Daybook" or not self.question.promised or median_of(self.rounds, "p99") < SLOWEST


async def search(stand: Stand, county: County, length: Length, report: Report) -> list[Searched]:
    """Every question to both apps in turn, so many rounds of it."""
    found: list[Searched] = []
    unlike = await alike_in_searching(stand, _searches(county, QUESTIONS[0])[0])
    for question in QUESTIONS:
        of_both = {app.name: Searched(app.name, question) for app in (stand.peer, stand.daybook)}
        for _ in range(length.rounds):
            for app in (stand.peer, stand.daybook):
                await _round(stand, app, county, length, of_both[app.name])
        for searched in of_both.values():
            report.says(f"Search, {question.name}, {searched.app}: p99 {median_of(searched.rounds, 'p99'):.1f} ms")
        found.extend(of_both.values())
    found[0].faults.extend(unlike)
    return found


async def _round(stand: Stand, app: App, county: County, length: Length, searched: Searched) -> None:
    token = stand.token()
    plan = Plan(
        port=app.port,
        connections=searched.question.clients,
        warm_up=length.warm_up / 2,
        seconds=length.seconds / 2,
        requests=[_request(app, token, path) for path in _searches(county, searched.question)],
        again=True,
        every=searched.question.every,
    )
    outcome = await load(app, plan)
    searched.rounds.append(figures(outcome))
    if others := {status: count for status, count in outcome.statuses.items() if status != 200}:
        searched.faults.append(f"{app.name} answered other than 200 (status: how often): {others}")


def _searches(county: County, question: Question) -> list[str]:
    """As GP Connect's consumers ask: free slots, from one day to another, with their schedules."""
    first, last = county.days
    usual = [("status", "free"), ("start", f"ge{first}"), ("end", f"le{last}"), ("_include", "Slot:schedule")]
    if not question.of_one_practice:
        return [f"/fhir/R4/Slot?{urlencode(usual)}"]
    practices = Random(first.toordinal()).choices(county.practices, k=_PLACES)
    actor = "schedule.actor:HealthcareService.identifier"
    return [f"/fhir/R4/Slot?{urlencode([*usual, (actor, f'{ODS_CODE}|{each.ods_code}')])}" for each in practices]


def _request(app: App, token: str, path: str) -> bytes:
    return (
        f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{app.port}\r\nAuthorization: Bearer {token}\r\n"
        "Accept: application/fhir+json\r\n\r\n"
    ).encode()


def tell(found: Sequence[Searched], slots: int, report: Report) -> None:
    """The figures, for people."""
    rows = [
        (f"{each.app}: {each.question.name}", *(spread([getattr(r, of) for r in each.rounds], 1) for of in _COLUMNS))
        for each in found
    ]
    report.writes(table(("search of 14 days", "searches/s", "p50 ms", "p95 ms", "p99 ms"), rows))
    kept = all(each.kept for each in found)
    report.writes(
        f"Promised: at {slots:,} open slots, Daybook's p99 under {SLOWEST:g} ms: {'kept' if kept else 'NOT kept'}."
    )
    for fault in (fault for each in found for fault in each.faults):
        report.writes(f"WRONG: {fault}")


_COLUMNS = ("rate", "p50", "p95", "p99")
