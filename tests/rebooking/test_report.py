"""The closing report and the backlog's pages: what they say of a lost day, and that a log replayed says the same."""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from httpx import AsyncClient
from sqlalchemy import select

from services.rebooking.app import BLUEPRINT, Settings, create
from services.rebooking.backlog import Declined, Progress
from services.rebooking.burn_down import burn_down
from services.rebooking.case_history import tell
from services.rebooking.case_reading import Followed
from services.rebooking.case_steps import Step
from services.rebooking.report import closing_report
from services.rebooking.report_facts import Known, Lost, Report
from services.rebooking.report_page import page_of
from services.rebooking.tables import moves
from services.rebooking.views import Outage
from shared.broker import connect
from shared.database import open_engine
from shared.events.base import Event
from shared.events.booking import ALL_INFLOW
from shared.events.notifications import Answer, MessageAccepted, MessagePlanned, ReplyReceived
from shared.restore import restore
from tests.harness import County
from tests.rebooking.neighbours import (
    FRIDAY,
    MONDAY,
    PEOPLE,
    WEDNESDAY,
    Surgery,
    booked,
    published,
    registered,
    slot,
    surgery,
)

OUTAGE = Outage(
    outage="outage",
    name="Friday <19 July>",
    practices=("A1", "B2"),
    started_at=FRIDAY,
    ended_at=MONDAY,
    declared_by="Ann",
    declared_at=MONDAY,
    kind="outage",
    keeps_out=ALL_INFLOW,
    automatic=False,
    automatic_by="",
)
PROGRESS = Progress(
    appointments=4,
    seen_on_paper=1,
    cancelled=0,
    elsewhere=0,
    triage=0,
    rescheduled=0,
    displaced=3,
    planned=2,
    requested=2,
    refused=0,
    moved=2,
    unplaced=1,
    told=1,
    kept=1,
    declined=Declined(0, 0),
    unanswered=0,
    calls=1,
    call_attempts=1,
    unaccounted=0,
)
MONDAY_FORTNIGHT = MONDAY + timedelta(days=14)
KNOWN = Known(
    progress=PROGRESS,
    lost={
        "soon": Lost(FRIDAY, 2),
        "late": Lost(FRIDAY + timedelta(hours=1), 0),
        "none": Lost(FRIDAY + timedelta(hours=2), 0),
    },
    reasons={"Nothing is free": 1},
    names={"A1": "Surgery A1", "B2": "Surgery B2"},
)


def lost_friday() -> list[Step]:
    """One was seen; one has a new time on Monday and keeps it, one a fortnight later, to be told; one has none."""
    at = MONDAY + timedelta(hours=1)
    return [
        Step(at, "reconciled", "A1", "seen", "attended"),
        Step(at, "reconciled", "A1", "soon", "displaced"),
        Step(at, "reconciled", "A1", "late", "displaced"),
        Step(at, "reconciled", "B2", "none", "displaced"),
        Step(at, "moved", "A1", "soon", "new", MONDAY),
        Step(at, "moved", "A1", "late", "newer", MONDAY_FORTNIGHT),
        Step(at, "told", "A1", "", "new"),
        Step(at + timedelta(days=7), "kept", "A1", "soon"),
        Step(at + timedelta(days=7), "call-needed", "A1", "late"),
        Step(at + timedelta(days=8), "call-made", "A1", "late", "no-answer"),
    ]


def report_of(steps: Sequence[Step], known: Known = KNOWN) -> Report:
    followed = Followed(OUTAGE, 10, tell(steps))
    return closing_report(followed, burn_down(followed.history, MONDAY, MONDAY_FORTNIGHT), known)


class TestTheReport:
    def test_says_what_became_of_everybody(self) -> None:
        report = report_of(lost_friday())
        assert (report.outcomes.at_stake, report.outcomes.attended, report.outcomes.displaced) == (4, 1, 3)
        displaced = report.displaced
        assert (displaced.moved, displaced.without_time, displaced.later) == (2, 1, 1)
        assert [(each.reason, each.appointments) for each in displaced.why] == [("Nothing is free", 1)]
        assert (report.answers.told, report.answers.kept, report.answers.not_yet) == (1, 1, 1)
        calls = report.calls
        assert (calls.needed, calls.open, calls.attempts, calls.unreached) == (1, 1, 1, 1)
        assert (report.milestones.first_move_at, report.milestones.closed_at) == (MONDAY + timedelta(hours=1), None)

    def test_counts_working_days_in_london_without_weekends_and_holidays(self) -> None:
        within = {each.working_days: each.appointments for each in report_of(lost_friday()).displaced.within}
        assert within == {1: 1, 2: 1, 5: 1, 10: 1}
        easter = Lost(datetime(2024, 3, 28, 9, tzinfo=UTC), 0)
        tuesday_after = datetime(2024, 4, 2, 8, tzinfo=UTC)
        steps = [
            Step(MONDAY, "reconciled", "A1", "soon", "displaced"),
            Step(MONDAY, "moved", "A1", "soon", "new", tuesday_after),
        ]
        within_easter = report_of(steps, replace(KNOWN, lost={"soon": easter})).displaced.within
        assert [each.appointments for each in within_easter] == [1, 1, 1, 1]

    def test_has_the_waits_by_priority_and_by_practice(self) -> None:
        report = report_of(lost_friday())
        waits = {each.priority: (each.waits.appointments, each.waits.longest_days) for each in report.waits_by_priority}
        assert waits == {2: (1, 3.0), 0: (1, 16.9)}
        assert [(each.practice, each.moved, each.waits.median_days) for each in report.practices] == [
            ("A1", 2, 9.9),
            ("B2", 0, 0.0),
        ]

    def test_has_the_figures_of_each_week(self) -> None:
        report = report_of(lost_friday())
        weekly = [(w.affected, w.rebooked, w.contacted, w.unreached, w.open) for w in report.weeks]
        assert weekly == [(3, 2, 1, 0, 3), (0, 0, 0, 1, 2), (0, 0, 0, 1, 2)]
        assert sum(week.affected for week in report.weeks_by_practice) == 3

    def test_closes_when_nothing_is_open_and_everybody_accounted_for(self) -> None:
        steps = [step for step in lost_friday() if step.appointment in ("seen", "soon") or step.what == "told"]
        closed = report_of(steps).milestones.closed_at
        assert closed == MONDAY + timedelta(days=7, hours=1)
        some_unknown = replace(KNOWN, progress=replace(PROGRESS, unaccounted=1))
        assert report_of(steps, some_unknown).milestones.closed_at is None

    def test_of_an_outage_that_took_nobody_adds_up_to_nothing(self) -> None:
        nothing = dict.fromkeys((field for field in Progress.__slots__ if field != "declined"), 0)
        known = Known(Progress(**nothing, declined=Declined(0, 0)), {}, {}, {})
        report = report_of([], known)
        assert report.adds_up
        assert "It adds up" in page_of(report, burn_down(tell(()), MONDAY, MONDAY))


class TestTheSums:
    def test_agree_where_the_log_and_the_tables_do(self) -> None:
        report = report_of(lost_friday())
        assert [each for each in report.sums if not each.agrees] == []
        assert report.adds_up

    def test_that_do_not_agree_are_shown_loudly(self) -> None:
        report = report_of(lost_friday(), replace(KNOWN, progress=replace(PROGRESS, kept=2, told=0)))
        assert not report.adds_up
        wrong = [(each.what, each.log, each.other) for each in report.sums if not each.agrees]
        assert wrong == [("new time suits", 1, 2), ("told by text", 1, 0)]
        page = page_of(report, burn_down(tell(lost_friday()), MONDAY, MONDAY))
        assert "IT DOES NOT ADD UP" in page
        assert "new time suits: 1 out of the log, 2 in rebooking" in page

    def test_the_page_escapes_what_people_wrote(self) -> None:
        page = page_of(report_of(lost_friday()), burn_down(tell(lost_friday()), MONDAY, MONDAY))
        assert "Friday &lt;19 July&gt;" in page
        assert "<19 July>" not in page


LOST = ("seen", "keeps", "cancels", "asks", "silent", "no mobile")
LATER = MONDAY + timedelta(hours=8, seconds=3)
"""Just after a point of the chart: by then the next is ten minutes away."""
PAGES = ("backlog", "backlog?practice=A1", "backlog.csv", "burndown.svg", "burndown.png", "report", "report.html")


def lost_day(clinic: Surgery) -> list[Event]:
    """Six of A1's on the lost Friday, and as many free slots on Wednesday; one of B2's, which has none."""
    starts = {name: FRIDAY + timedelta(minutes=10 * at) for at, name in enumerate(LOST)}
    people = {name: clinic.keys.pseudonym("patient", number) for name, number in zip(LOST, PEOPLE, strict=False)}
    return [
        *registered("A1", "B2"),
        published("friday", *(slot(f"slot of {name}", start) for name, start in starts.items())),
        *(booked(name, "friday", f"slot of {name}", start, people[name]) for name, start in starts.items()),
        published("friday at B2", slot("only", FRIDAY), practice="B2"),
        booked("elsewhere", "friday at B2", "only", FRIDAY, people["seen"], practice="B2"),
        published("wednesday", *(slot(f"free {at}", WEDNESDAY + timedelta(minutes=10 * at)) for at in range(7))),
    ]


async def moved(clinic: Surgery) -> str:
    await clinic.hears(clinic.booking, *lost_day(clinic))
    outage = await clinic.declared()
    answer = await clinic.paper(outage, f"A1,2024-07-19T09:00,{PEOPLE[0]},attended")
    assert answer.status_code == 200, answer.text
    plan = (await clinic.post(f"/{outage}/plan")).json()
    await clinic.post(f"/{outage}/approval", hash=plan["hash"], approved_by="Ann")
    return outage


async def texts(clinic: Surgery, outage: str, answers: Mapping[str, Answer]) -> None:
    """Everybody but those without a mobile is texted, and some answer."""
    async with clinic.county.at_work[-1].engine.connect() as connection:
        made = (await connection.execute(select(moves).where(moves.c.outage == outage))).all()
    for move in made:
        if move.appointment != "no mobile":
            reply = answers.get(move.appointment)
            await clinic.hears(clinic.notifications, *conversation(outage, move, reply))


def conversation(outage: str, move: Any, answer: Answer | None) -> list[Event]:
    message = f"message about {move.appointment}"
    texted: list[Event] = [
        MessagePlanned(
            message=message,
            practice="A1",
            kind="moved",
            patient="patient",
            appointment=move.to_appointment,
            move=move.move,
            outage=outage,
            number="number",
            sealed="",
            segments=1,
            appointment_start=move.to_start,
        ),
        MessageAccepted(message=message, practice="A1", attempt=1, provider="p", reference="r", provider_id="id"),
    ]
    if answer is None:
        return texted
    return [
        *texted,
        ReplyReceived(
            message=message,
            practice="A1",
            reply=f"reply to {message}",
            patient="patient",
            appointment=move.to_appointment,
            move=move.move,
            outage=outage,
            answer=answer,
            sealed="",
        ),
    ]


async def pages(http: AsyncClient, outage: str) -> dict[str, bytes]:
    found = {}
    for page in PAGES:
        answer = await http.get(f"/v1/outages/{outage}/{page}")
        assert answer.status_code == 200, (page, answer.text)
        found[page] = answer.content
    return found


async def test_the_backlog_and_the_report_of_a_lost_day_add_up(county: County) -> None:
    async with surgery(county) as clinic:
        outage = await moved(clinic)
        before = (await clinic.get(f"/{outage}/backlog"))["now"]
        assert (before["moved"], before["to_call"], before["displaced"]) == (4, 1, 1)
        await texts(clinic, outage, {"keeps": "keep", "cancels": "cancel", "asks": "another-time"})
        backlog = await clinic.get(f"/{outage}/backlog")
        now = backlog["now"]
        assert (now["everybody"], now["confirmed"], now["done"], now["told"]) == (6, 1, 1, 1)
        a1, b2 = (day for day in backlog["days"] if day["day"] == "2024-07-22")
        assert (a1["practice"], a1["counts"]["everybody"]) == ("A1", 5)
        assert (b2["practice"], b2["counts"]["displaced"]) == ("B2", 1)
        report = await clinic.get(f"/{outage}/report")
        assert [each for each in report["sums"] if not each["agrees"]] == []
        assert (report["answers"]["told"], report["displaced"]["without_time"]) == (4, 1)
        assert report["outcomes"]["at_stake"] == 7


async def test_what_is_not_there_is_refused(county: County) -> None:
    async with surgery(county) as clinic:
        await clinic.hears(clinic.booking, *registered("A1"))
        outage = await clinic.declared()
        for page, code in (("none/report", "unknown-outage"), (f"{outage}/backlog?practice=C3", "unknown-practice")):
            answer = await clinic.http.get(f"/v1/outages/{page}")
            assert (answer.status_code, answer.json()["code"]) == (404, code)
        empty = await pages(clinic.http, outage)
        assert empty["backlog.csv"].decode().startswith("day,practice,displaced,planned,moved,told,to_call,")


async def test_the_same_outage_replayed_from_the_log_gives_the_same_tables_chart_and_report(county: County) -> None:
    async with surgery(county) as clinic:
        outage = await moved(clinic)
        await texts(clinic, outage, {"keeps": "keep", "cancels": "cancel"})
    county.clock_at(LATER)
    live = await pages_later(county, outage)
    await county.lose_database(BLUEPRINT)
    await restored(county)
    assert await pages_later(county, outage) == live
    rows = list(csv.DictReader(io.StringIO(live["backlog.csv"].decode())))
    assert [(row["practice"], row["everybody"]) for row in rows] == [("A1", "5"), ("B2", "1")]
    assert not any(number.encode() in page for number in PEOPLE for page in live.values())


async def pages_later(county: County, outage: str) -> dict[str, bytes]:
    """As a service that has just started shows them, once it has followed what the others recorded."""
    async with county.client(create) as http:
        await county.caught_up()
        return await pages(http, outage)


async def restored(county: County) -> None:
    """Rebooking's database, new and empty, is made again from the stream."""
    settings = await county.settings(BLUEPRINT, Settings)
    engine, client = open_engine(settings.database_url), await connect(settings.nats_url, "rebooking")
    try:
        await restore(BLUEPRINT, engine, client, tell=lambda *_: None)
    finally:
        await engine.dispose()
        await client.close()
