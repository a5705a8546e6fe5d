"""The practices file: which practices keep their diaries here."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import Any

from services.booking.commands import RegisterPractice
from shared.records import BadRows, Fault, Record, read_records, required, stripped, whole
from shared.refusals import Refusal

COLUMNS = ("ods_code", "name", "town", "postcode", "registered_patients", "nhs111_slots_per_day")


def read_practices(text: str) -> Sequence[RegisterPractice]:
    """One command per line. Raises `BadRows` if any line is at fault."""
    commands: dict[str, RegisterPractice] = {}
    faults: list[Fault] = []
    for record in read_records(text, COLUMNS):
        if isinstance(record, Fault):
            faults.append(record)
            continue
        values, wrong = record.convert(_CONVERTERS)
        faults.extend(wrong or _twice(record, values, commands))
        if not wrong:
            commands[values["ods_code"]] = _command(values)
    if faults:
        raise BadRows(faults)
    return list(commands.values())


def ods_code(text: str) -> str:
    """A practice's code as NHS organisations are known by: it becomes part of subjects and addresses."""
    if not (2 <= len(text) <= 12 and text.isascii() and text.isalnum() and text == text.upper()):
        raise Refusal("An ODS code is 2 to 12 capital letters and digits", code="bad-ods-code", where="ods_code")
    return text


def _twice(record: Record, values: Mapping[str, Any], earlier: Mapping[str, RegisterPractice]) -> list[Fault]:
    return (
        [Fault(record.line, "ods_code", "The practice is in the file twice")] if values["ods_code"] in earlier else []
    )


def _command(values: Mapping[str, Any]) -> RegisterPractice:
    return RegisterPractice(
        practice=values["ods_code"],
        name=values["name"],
        town=values["town"],
        postcode=values["postcode"],
        nhs111_slots_per_day=values["nhs111_slots_per_day"],
    )


_CONVERTERS: Mapping[str, Callable[[str], Any]] = MappingProxyType(
    {
        "ods_code": stripped(ods_code),
        "name": stripped(partial(required, "name")),
        "town": str.strip,
        "postcode": str.strip,
        "registered_patients": stripped(partial(whole, 0, 1_000_000)),
        "nhs111_slots_per_day": stripped(partial(whole, 0, 1_000)),
    }
)
