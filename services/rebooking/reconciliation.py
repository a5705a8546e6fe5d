"""Finds the lost appointment that each line of the paper means, and decides by rule about all the rest."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from services.rebooking.commands import Finding, ReconcileAppointments
from services.rebooking.paper import PaperRow
from shared.clock import london_date
from shared.events.booking import KeptFor
from shared.events.rebooking import Evidence, Outcome
from shared.records import Fault

_ONE_COMMAND = 500
_ONE_TRANSACTION = 1000


@dataclass(frozen=True, slots=True)
class LostAppointment:
    """An appointment of an outage. `outcome`, `evidence` and `state` are None until it is reconciled."""

    appointment: str
    practice: str
    patient: str
    start: datetime
    booked_at: datetime
    kept_for: KeptFor
    outcome: Outcome | None = None
    evidence: Evidence | None = None
    state: str | None = None


@dataclass(frozen=True, slots=True)
class Dated:
    """A command, and when what it tells of happened; None is now."""

    command: ReconcileAppointments
    at: datetime | None


@dataclass(frozen=True, slots=True)
class Found:
    """A finding, the practice it is of, and when it happened; None is now."""

    practice: str
    finding: Finding
    at: datetime | None


def match_paper(
    rows: Iterable[PaperRow], lost: Iterable[LostAppointment], pseudonym: Callable[[str], str], now: datetime
) -> tuple[list[Found], list[Fault]]:
    """What the lines say of which appointments, and what is wrong with the others."""
    booked: defaultdict[tuple[str, datetime, str], list[LostAppointment]] = defaultdict(list)
    for each in lost:
        booked[each.practice, each.start, each.patient].append(each)
    said: dict[str, PaperRow] = {}
    found: list[Found] = []
    faults: list[Fault] = []
    for row in rows:
        match booked.get((row.practice, row.start, pseudonym(row.nhs_number)), []):
            case [appointment]:
                earlier = said.setdefault(appointment.appointment, row)
                wrong = _objections(row, earlier, appointment)
            case others:
                wrong = [_nobody(row, others)]
        faults += wrong
        found += [] if wrong else [_found(row, appointment, now)]
    return found, faults


def _nobody(row: PaperRow, others: Sequence[LostAppointment]) -> Fault:
    if others:
        return Fault(row.line, "nhs_number", "This patient had two appointments at this time: cancel one of them first")
    return Fault(row.line, "nhs_number", "This patient had no appointment here at this time of the outage")


def _objections(row: PaperRow, earlier: PaperRow, appointment: LostAppointment) -> list[Fault]:
    if earlier is not row and earlier.outcome == row.outcome:
        return [Fault(row.line, "nhs_number", f"Line {earlier.line} says the same: it is there twice")]
    if earlier is not row:
        return [Fault(row.line, "outcome", f"This contradicts line {earlier.line}, which says {earlier.outcome}")]
    if _contradicts(row.outcome, appointment):
        return [Fault(row.line, "outcome", f"It is already known to be {appointment.state}")]
    return []


def _contradicts(outcome: Outcome, appointment: LostAppointment) -> bool:
    """What the rule assumed may be corrected, as long as no move was asked for."""
    if appointment.outcome in (None, outcome):
        return False
    return appointment.evidence != "rule" or appointment.state not in ("triage", "displaced", "planned", "refused")


def _found(row: PaperRow, appointment: LostAppointment, now: datetime) -> Found:
    finding = Finding(appointment.appointment, appointment.patient, row.outcome, "paper")
    return Found(appointment.practice, finding, row.at or min(row.start, now))


def by_rule(lost: Iterable[LostAppointment], accounted: Collection[str]) -> Iterator[Found]:
    """Whoever is not accounted for: same-day demand goes to triage, all others are displaced."""
    for each in lost:
        if each.outcome is None and each.appointment not in accounted:
            outcome: Outcome = "triage" if is_same_day(each) else "displaced"
            yield Found(each.practice, Finding(each.appointment, each.patient, outcome, "rule"), None)


def is_same_day(lost: LostAppointment) -> bool:
    """Booked on the day it was for, or in a slot kept for that: by now a clinician must see what has become of it."""
    return lost.kept_for == "same-day" or london_date(lost.booked_at) == london_date(lost.start)


def in_transactions(outage: str, found: Iterable[Found]) -> Iterator[list[Dated]]:
    """The findings as commands, each of one practice and one moment, in groups small enough for one transaction."""
    alike: defaultdict[tuple[str, datetime | None], list[Finding]] = defaultdict(list)
    for each in found:
        alike[each.practice, each.at].append(each.finding)
    together: list[Dated] = []
    size = 0
    for (practice, at), findings in alike.items():
        for start in range(0, len(findings), _ONE_COMMAND):
            part = tuple(findings[start : start + _ONE_COMMAND])
            if size + len(part) > _ONE_TRANSACTION:
                yield together
                together, size = [], 0
            together.append(Dated(ReconcileAppointments(outage, practice, part), at))
            size += len(part)
    if together:
        yield together
