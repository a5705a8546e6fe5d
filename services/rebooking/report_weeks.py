"""The weekly figures of a recovery, as the NHS asks for them: affected, rebooked, contacted, unreached, still open."""

from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime, timedelta

from services.rebooking.burn_down import BurnDown
from services.rebooking.case_history import History
from services.rebooking.case_states import OPEN
from services.rebooking.report_facts import Week
from shared.clock import london_date

At = tuple[date, str]
"""A week, by its Monday, and a practice."""


def weeks_by_practice(history: History, backlog: BurnDown) -> Sequence[Week]:
    """Every week of the backlog at every practice where anybody was displaced, in order of time."""
    affected, rebooked, contacted = _first_times(history)
    unreached, still_open = _unreached(history, backlog), _open(backlog)
    return [
        Week(
            begins=at[0],
            practice=at[1],
            affected=affected[at],
            rebooked=rebooked[at],
            contacted=contacted[at],
            unreached=unreached[at],
            open=still_open[at],
        )
        for at in sorted(still_open)
    ]


def together(weeks: Sequence[Week]) -> Sequence[Week]:
    """The same for all practices together."""
    return [
        Week(
            begins=monday,
            practice="",
            affected=sum(week.affected for week in those),
            rebooked=sum(week.rebooked for week in those),
            contacted=sum(week.contacted for week in those),
            unreached=sum(week.unreached for week in those),
            open=sum(week.open for week in those),
        )
        for monday in sorted({week.begins for week in weeks})
        for those in [[week for week in weeks if week.begins == monday]]
    ]


def _first_times(history: History) -> tuple[Counter[At], Counter[At], Counter[At]]:
    affected: Counter[At] = Counter()
    rebooked: Counter[At] = Counter()
    contacted: Counter[At] = Counter()
    for case in history.cases.values():
        if case.displaced_at is None:
            continue
        affected[_week(case.displaced_at), case.practice] += 1
        if case.moved_at is not None:
            rebooked[_week(case.moved_at), case.practice] += 1
        if reached := [at for at in (case.told_at, case.reached_at) if at is not None]:
            contacted[_week(min(reached)), case.practice] += 1
    return affected, rebooked, contacted


def _open(backlog: BurnDown) -> Counter[At]:
    """By the last day of each week that there is."""
    return Counter(
        {
            (_monday(each.day), each.practice): sum(getattr(each.counts, state) for state in OPEN)
            for each in backlog.days
        }
    )


def _unreached(history: History, backlog: BurnDown) -> Counter[At]:
    changes: Counter[At] = Counter()
    for change in history.unreached:
        changes[_week(change.at), change.practice] += change.by
    standing: Counter[str] = Counter()
    ends: Counter[At] = Counter()
    for at in sorted({(_monday(each.day), each.practice) for each in backlog.days}):
        standing[at[1]] += changes[at]
        ends[at] = standing[at[1]]
    return ends


def _week(at: datetime) -> date:
    return _monday(london_date(at))


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())
