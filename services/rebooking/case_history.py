"""The history of an outage's cases, folded from the log: every case as it stands, and every change on the way."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from services.rebooking.case_states import OPEN, Case, State
from services.rebooking.case_steps import Step, What


class Change(NamedTuple):
    """A case came into a state, or from one into another."""

    at: datetime
    practice: str
    before: State | None
    after: State


class Unreached(NamedTuple):
    """From then on there was one more patient whom a call has not reached, or one fewer."""

    at: datetime
    practice: str
    by: int


@dataclass(frozen=True, slots=True)
class History:
    """Every case of an outage as it now stands, and every change of state on the way there.

    `first` and `last` are when each kind of step first and last happened; `as_of` is the newest step of all.
    `closed_at` is since when nothing has been open, if anything ever was and nothing is.
    """

    cases: Mapping[str, Case]
    changes: Sequence[Change]
    unreached: Sequence[Unreached]
    first: Mapping[What, datetime]
    last: Mapping[What, datetime]
    as_of: datetime | None
    closed_at: datetime | None


def tell(steps: Iterable[Step]) -> History:
    """The history that the steps make: those of the log in its order, those of texts anywhere among them."""
    telling = _Telling()
    for step in _in_order(steps):
        telling.take(step)
    return telling.history()


def _in_order(steps: Iterable[Step]) -> list[Step]:
    """By time; the log's own order holds even where a clock was put back."""
    newest: datetime | None = None
    ordered, texts = [], []
    for step in steps:
        if step.what == "told":
            texts.append(step)
            continue
        newest = step.at if newest is None else max(newest, step.at)
        ordered.append(step if step.at == newest else step._replace(at=newest))
    texts.sort(key=lambda step: (step.at, step.name))
    return sorted([*ordered, *texts], key=lambda step: step.at)


@dataclass(slots=True)
class _Telling:
    """A history while it is told.

    `moved_to` finds a case by its new appointment, `texted` has the texts about those, `placed` who is in each
    practice's newest plan, `open` how many cases are.
    """

    cases: dict[str, Case] = field(default_factory=dict)
    moved_to: dict[str, str] = field(default_factory=dict)
    texted: dict[str, Step] = field(default_factory=dict)
    placed: dict[str, list[str]] = field(default_factory=dict)
    changes: list[Change] = field(default_factory=list)
    unreached: list[Unreached] = field(default_factory=list)
    first: dict[What, datetime] = field(default_factory=dict)
    last: dict[What, datetime] = field(default_factory=dict)
    as_of: datetime | None = None
    open: int = 0
    closed_at: datetime | None = None

    def take(self, step: Step) -> None:
        self.first.setdefault(step.what, step.at)
        self.last[step.what] = self.as_of = step.at
        match step.what:
            case "proposed":
                self.placed[step.practice] = []
            case "expired":
                for appointment in self.placed.pop(step.practice, ()):
                    self._goes_on(appointment, step)
            case "told":
                self._told(step)
            case "reconciled":
                self.cases.setdefault(step.appointment, Case(step.practice))
                self._goes_on(step.appointment, step)
            case "placed":
                self.placed.setdefault(step.practice, []).append(step.appointment)
                self._goes_on(step.appointment, step)
            case "moved":
                self._goes_on(step.appointment, step)
                self.moved_to[step.name] = step.appointment
                if early := self.texted.get(step.name):
                    self._goes_on(step.appointment, early._replace(at=step.at))
            case _:
                self._goes_on(step.appointment, step)

    def history(self) -> History:
        return History(self.cases, self.changes, self.unreached, self.first, self.last, self.as_of, self.closed_at)

    def _told(self, step: Step) -> None:
        """Notifications may hear of a move, and send its text, before rebooking has heard of it."""
        self.texted.setdefault(step.name, step)
        lost = self.moved_to.get(step.name, "")
        if lost in self.cases and self.cases[lost].standing == step.name:
            self._goes_on(lost, step)

    def _goes_on(self, appointment: str, step: Step) -> None:
        case = self.cases.get(appointment)
        if case is None:
            return
        before, unreached = case.state, case.unreached
        case.take(step)
        after = case.state
        if after is not None and after != before:
            self.changes.append(Change(step.at, case.practice, before, after))
            self._count(step.at, (after in OPEN) - (before in OPEN))
        if case.unreached != unreached:
            self.unreached.append(Unreached(step.at, case.practice, case.unreached - unreached))

    def _count(self, at: datetime, more: int) -> None:
        self.open += more
        if self.open:
            self.closed_at = None
        elif more:
            self.closed_at = at
