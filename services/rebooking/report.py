"""The closing report of an outage: what became of everybody, how fast, by practice and by week, and that it adds up.

Everything is counted from the log. It can be asked for at any time: until the outage is closed, it says how it stands.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from statistics import median
from typing import cast

import numpy as np
from holidays import country_holidays

from services.rebooking.burn_down import BurnDown
from services.rebooking.case_history import History
from services.rebooking.case_reading import Followed
from services.rebooking.case_states import Case
from services.rebooking.report_facts import (
    Answers,
    Calls,
    Displaced,
    Known,
    Lost,
    Milestones,
    OfPractice,
    OfPriority,
    Outcomes,
    Reason,
    Report,
    Waits,
    WithinDays,
)
from services.rebooking.report_sums import inner_sums, sums
from services.rebooking.report_weeks import together, weeks_by_practice
from shared.clock import london_date

_WORKING_DAYS = (1, 2, 5, 10)

NewTime = tuple[Case, Lost, datetime]
"""A displaced case, its lost time, and its new one."""


def closing_report(followed: Followed, backlog: BurnDown, known: Known) -> Report:
    """The report of the outage, from its history and what the tables say of the same moment."""
    history, outage = followed.history, followed.outage
    new_times = _new_times(history, known.lost)
    displaced = _displaced(history, new_times, known.reasons)
    practices = _practices(history, new_times, known.names)
    weekly = weeks_by_practice(history, backlog)
    added = [*sums(history, known.progress), *inner_sums(backlog, displaced, practices, together(weekly))]
    return Report(
        outage=outage.outage,
        name=outage.name,
        kind=outage.kind,
        as_of=history.as_of,
        position=followed.position,
        milestones=_milestones(followed, known),
        outcomes=_outcomes(history, known),
        displaced=displaced,
        answers=_answers(history),
        calls=_calls(history),
        waits=_waits(new_times),
        waits_by_priority=_by_priority(new_times),
        practices=practices,
        weeks=together(weekly),
        weeks_by_practice=weekly,
        sums=added,
        adds_up=all(each.agrees for each in added),
    )


def _now_displaced(history: History) -> list[Case]:
    return [case for case in history.cases.values() if case.outcome == "displaced"]


def _new_times(history: History, lost: Mapping[str, Lost]) -> list[NewTime]:
    return [
        (case, lost[appointment], case.new_start)
        for appointment, case in history.cases.items()
        if case.outcome == "displaced" and case.new_start is not None and appointment in lost
    ]


def _milestones(followed: Followed, known: Known) -> Milestones:
    history, outage = followed.history, followed.outage
    answers = [history.last[what] for what in ("kept", "declined") if what in history.last]
    return Milestones(
        began_at=outage.started_at,
        declared_at=outage.declared_at,
        ended_at=outage.ended_at,
        first_plan_at=history.first.get("proposed"),
        first_move_at=history.first.get("moved"),
        last_move_at=history.last.get("moved"),
        last_answer_at=max(answers, default=None),
        closed_at=None if known.progress.unaccounted else history.closed_at,
    )


def _outcomes(history: History, known: Known) -> Outcomes:
    counts = Counter(case.outcome for case in history.cases.values())
    return Outcomes(
        at_stake=counts.total() + known.progress.unaccounted,
        attended=counts["attended"],
        missed=counts["missed"],
        cancelled=counts["cancelled"],
        elsewhere=counts["elsewhere"],
        triage=counts["triage"],
        rescheduled=counts["rescheduled"],
        displaced=counts["displaced"],
        unaccounted=known.progress.unaccounted,
    )


def _displaced(history: History, new_times: Sequence[NewTime], reasons: Mapping[str, int]) -> Displaced:
    cases = _now_displaced(history)
    moved = sum(case.new_start is not None for case in cases)
    days = _working_days(new_times)
    within = [WithinDays(most, sum(number <= most for number in days)) for most in _WORKING_DAYS]
    return Displaced(
        appointments=len(cases),
        moved=moved,
        within=within,
        later=sum(number > _WORKING_DAYS[-1] for number in days),
        without_time=len(cases) - moved,
        why=[Reason(why, number) for why, number in sorted(reasons.items(), key=lambda item: (-item[1], item[0]))],
    )


def _working_days(new_times: Sequence[NewTime]) -> list[int]:
    """From the day after the lost one to the new one, both in London: Friday to Monday is one. England's holidays."""
    if not new_times:
        return []
    pairs = [(london_date(lost.start), london_date(new_start)) for _, lost, new_start in new_times]
    years = {day.year for pair in pairs for day in pair}
    holidays = list(country_holidays("GB", subdiv="ENG", years=years))
    began, ended = (np.array(each, "datetime64[D]") + 1 for each in zip(*pairs, strict=True))
    return cast(list[int], np.busday_count(began, ended, holidays=holidays).tolist())


def _answers(history: History) -> Answers:
    cases = _now_displaced(history)
    moved = [case for case in cases if case.new_start is not None]
    counts = Counter(case.answer for case in moved)
    return Answers(
        told=sum(case.told_at is not None for case in cases),
        kept=counts["kept"],
        another_time=counts["another-time"],
        cancel=counts["cancel"],
        unanswered=counts["unanswered"],
        not_yet=counts[""],
        fresh_offers=sum(case.moves - 1 for case in moved),
    )


def _calls(history: History) -> Calls:
    cases = history.cases.values()
    return Calls(
        needed=sum(case.calls for case in cases),
        open=sum(case.state == "to_call" for case in cases),
        attempts=sum(case.attempts for case in cases),
        unreached=sum(case.unreached for case in cases),
    )


def _waits(new_times: Iterable[NewTime]) -> Waits:
    days = [(new_start - lost.start) / timedelta(days=1) for _, lost, new_start in new_times]
    return Waits(len(days), round(median(days), 1) if days else 0.0, round(max(days, default=0.0), 1))


def _by_priority(new_times: Sequence[NewTime]) -> list[OfPriority]:
    """From the highest; those without one come last."""
    ranked = sorted(new_times, key=lambda each: each[1].priority or 10)
    return [OfPriority(level, _waits(those)) for level, those in groupby(ranked, key=lambda each: each[1].priority)]


def _practices(history: History, new_times: Sequence[NewTime], names: Mapping[str, str]) -> list[OfPractice]:
    cases: dict[str, list[Case]] = {}
    waits: dict[str, list[NewTime]] = {}
    for case in history.cases.values():
        cases.setdefault(case.practice, []).append(case)
    for each in new_times:
        waits.setdefault(each[0].practice, []).append(each)
    return [
        _of_practice(practice, names.get(practice, ""), cases[practice], waits.get(practice, []))
        for practice in sorted(cases)
    ]


def _of_practice(practice: str, name: str, cases: Sequence[Case], new_times: Sequence[NewTime]) -> OfPractice:
    displaced = [case for case in cases if case.outcome == "displaced"]
    states = Counter(case.state for case in displaced)
    moved = sum(case.new_start is not None for case in displaced)
    return OfPractice(
        practice=practice,
        name=name,
        reconciled=len(cases),
        displaced=len(displaced),
        moved=moved,
        without_time=len(displaced) - moved,
        told=sum(case.told_at is not None for case in displaced),
        confirmed=states["confirmed"],
        unanswered=sum(case.answer == "unanswered" for case in displaced),
        to_call=states["to_call"],
        unreached=sum(case.unreached for case in displaced),
        waits=_waits(new_times),
    )
