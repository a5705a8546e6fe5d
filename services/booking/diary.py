"""The diary as a practice exports it: a CSV file, read row by row, and every fault named by its line and field."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import lru_cache, partial
from typing import Any, Literal, get_args

from msgspec import Struct

from services.booking import patients
from services.booking.commands import EntryStatus
from shared.clock import parse_instant
from shared.events.booking import Channel
from shared.nhs import nhs_number
from shared.records import Fault, Record, read_records, required, stripped, whole
from shared.refusals import Refusal

LONGEST_SLOT = 480
"""Minutes: a slot is part of one working day."""
LONGEST_DESCRIPTION = 100

DiaryStatus = Literal["free"] | EntryStatus


class Row(Struct, frozen=True, gc=False):
    """A row that makes sense by itself: a free slot, or an appointment. Its fields are the columns, in their order."""

    line: int
    practice: str
    session: str
    clinician: str
    clinician_role: str
    location: str
    service_type: str
    channel: Channel
    start: datetime
    minutes: int
    status: DiaryStatus
    nhs_number: str
    given_name: str
    family_name: str
    birth_date: str
    mobile: tuple[str, bool]
    """E.164, and whether it can be texted."""
    description: str
    priority: int
    booked_at: datetime | None
    source: str


COLUMNS = Row.__struct_fields__[1:]
_PATIENT = ("given_name", "family_name", "birth_date")


class Reading(Struct, frozen=True):
    """What a file came to: the rows that can be read, and what is wrong with the others."""

    rows: Sequence[Row]
    faults: Sequence[Fault]


def read_diary(text: str, *, made_up: bool) -> Reading:
    """Every row, or what is wrong with it. Raises `Refusal` if the header is not that of a diary."""
    converters = _converters(made_up)
    rows: list[Row] = []
    faults: list[Fault] = []
    for record in read_records(text, COLUMNS):
        found = _row(record, converters) if isinstance(record, Record) else [record]
        if isinstance(found, Row):
            rows.append(found)
        else:
            faults.extend(found)
    return Reading(rows, faults)


def _row(record: Record, converters: Mapping[str, Callable[[str], Any]]) -> Row | list[Fault]:
    values, faults = record.convert(converters)
    faults.extend(Fault(record.line, *fault) for fault in _contradictions(values))
    return faults or Row(line=record.line, **values)


def _contradictions(values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What two fields say against each other; a field that could not be read says nothing."""
    status, patient = values.get("status"), values.get("nhs_number")
    if status == "free" and patient:
        yield "status", "The slot is called free, but a patient has it"
    if status not in (None, "free") and patient == "":
        yield "nhs_number", f"An appointment that is {status} needs its patient's NHS number"
    if patient:
        yield from ((column, "A patient needs this") for column in _PATIENT if values.get(column) == "")


def _converters(made_up: bool) -> Mapping[str, Callable[[str], Any]]:
    """How each column is read. A diary says the same few things thousands of times, so all but what is a patient's own
    is converted once and remembered as long as the file is read."""
    seldom_twice: dict[str, Callable[[str], Any]] = {
        "nhs_number": partial(_optional, nhs_number, ""),
        "mobile": partial(patients.telephone, made_up=made_up),
    }
    often: dict[str, Callable[[str], Any]] = {
        **dict.fromkeys(COLUMNS, str),
        **{column: partial(required, column) for column in ("practice", "session", "clinician")},
        "channel": partial(_one_of, get_args(Channel)),
        "start": parse_instant,
        "minutes": partial(whole, 1, LONGEST_SLOT),
        "status": partial(_one_of, ("free", *get_args(EntryStatus))),
        "birth_date": partial(_optional, patients.birth_date, ""),
        "description": _description,
        "priority": partial(_optional, partial(whole, 0, 9), 0),
        "booked_at": partial(_optional, parse_instant, None),
    }
    remembered = lru_cache(maxsize=10_000)
    return {column: remembered(stripped(convert)) for column, convert in often.items()} | {
        column: stripped(convert) for column, convert in seldom_twice.items()
    }


def _optional(convert: Callable[[str], Any], default: Any, text: str) -> Any:
    return convert(text) if text else default


def _one_of(choices: Sequence[str], text: str) -> str:
    if text not in choices:
        raise Refusal(f"This must be one of {', '.join(choices)}", code="unknown-word")
    return text


def _description(text: str) -> str:
    if len(text) > LONGEST_DESCRIPTION:
        raise Refusal(f"The description has {len(text)} characters; {LONGEST_DESCRIPTION} is the most", code="too-long")
    return text
