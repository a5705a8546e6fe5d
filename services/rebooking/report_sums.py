"""The sums of the closing report: each figure counted out of the log, and counted again from another side."""

from collections import Counter
from collections.abc import Iterator, Sequence

from services.rebooking.backlog import Progress
from services.rebooking.burn_down import BurnDown
from services.rebooking.case_history import History
from services.rebooking.case_states import STATES, Case
from services.rebooking.report_facts import Displaced, OfPractice, Sum, Week

_TABLES = "rebooking's tables"


def sums(history: History, progress: Progress) -> Sequence[Sum]:
    """The log beside the tables."""
    cases = list(history.cases.values())
    displaced = [case for case in cases if case.outcome == "displaced"]
    pairs = (
        ("appointments reconciled", len(cases), progress.appointments),
        *_by_outcome(cases, progress),
        *_by_answer(displaced, progress),
        ("to telephone", sum(case.state == "to_call" for case in displaced), progress.calls),
        ("telephone calls made", sum(case.attempts for case in cases), progress.call_attempts),
        ("told by text", sum(case.told_at is not None for case in cases), progress.told),
    )
    return [Sum(what, log, table, _TABLES, log == table) for what, log, table in pairs]


def _by_outcome(cases: Sequence[Case], progress: Progress) -> Iterator[tuple[str, int, int]]:
    outcomes = Counter(case.outcome for case in cases)
    yield "seen on paper, or did not come", outcomes["attended"] + outcomes["missed"], progress.seen_on_paper
    yield "cancelled", outcomes["cancelled"], progress.cancelled
    yield "seen elsewhere", outcomes["elsewhere"], progress.elsewhere
    yield "for triage", outcomes["triage"], progress.triage
    yield "given another time otherwise", outcomes["rescheduled"], progress.rescheduled
    yield "displaced", outcomes["displaced"], progress.displaced


def _by_answer(displaced: Sequence[Case], progress: Progress) -> Iterator[tuple[str, int, int]]:
    answers = Counter(case.answer for case in displaced)
    moved = sum(case.new_start is not None for case in displaced)
    yield "moved", moved, progress.moved
    yield "without a time", len(displaced) - moved, progress.unplaced
    yield "new time suits", answers["kept"], progress.kept
    yield "asked for another time", answers["another-time"], progress.declined.another_time
    yield "cancelled the new time", answers["cancel"], progress.declined.cancel
    yield "did not answer in time", answers["unanswered"], progress.unanswered


def inner_sums(
    backlog: BurnDown, displaced: Displaced, practices: Sequence[OfPractice], weeks: Sequence[Week]
) -> Sequence[Sum]:
    """The parts of the report beside its wholes."""
    now = backlog.now
    pairs = (
        ("ever displaced", now.everybody, sum(getattr(now, state) for state in STATES), "the states of the backlog"),
        ("ever displaced", now.everybody, sum(week.affected for week in weeks), "the weeks together"),
        ("still open", backlog.open, weeks[-1].open if weeks else 0, "the last week"),
        ("displaced", displaced.appointments, sum(line.displaced for line in practices), "the practices together"),
        ("moved", displaced.moved, sum(line.moved for line in practices), "the practices together"),
        ("moved", displaced.moved, _by_waits(displaced), "the working days together"),
        ("without a time", displaced.without_time, sum(why.appointments for why in displaced.why), "the reasons"),
    )
    return [Sum(what, whole, parts, side, whole == parts) for what, whole, parts, side in pairs]


def _by_waits(displaced: Displaced) -> int:
    return displaced.within[-1].appointments + displaced.later
