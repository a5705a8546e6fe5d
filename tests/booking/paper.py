"""Files and resources as callers would write them, about people who do not exist."""

import csv
import io
from typing import Any

from services.booking import diary, practices
from services.booking.fhir.resources import CANCELLATION_REASON, NHS_NUMBER, ODS_CODE

CSV = {"Content-Type": "text/csv"}

PRACTICES = (
    f"{','.join(practices.COLUMNS)}\nA1,Harbour Surgery,Whitstable,CT5 1AA,9000,3\nB2,Mill Lane,Deal,CT14 6AA,4000,1\n"
)

FREE = {
    "practice": "A1",
    "session": "Morning",
    "clinician": "Dr Jones",
    "clinician_role": "GP",
    "location": "Room 1",
    "service_type": "GP consultation",
    "channel": "in-person",
    "start": "2024-07-22T09:00",
    "minutes": "10",
    "status": "free",
}

ANN = {
    "status": "booked",
    "nhs_number": "9990000018",
    "given_name": "Ann",
    "family_name": "Teak",
    "birth_date": "1958-03-31",
    "mobile": "07700 900123",
    "description": "Back pain",
    "priority": "3",
    "booked_at": "2024-07-10T10:00",
    "source": "reception",
}

BOB = ANN | {"nhs_number": "9990000026", "given_name": "Bob", "birth_date": "1990-01-02", "mobile": "07700 900456"}


def row(*parts: dict[str, str], **others: str) -> dict[str, str]:
    """A diary row: a free slot, with these parts and fields instead."""
    whole = dict(FREE)
    for part in parts:
        whole |= part
    return whole | others


def diary_file(*rows: dict[str, str]) -> str:
    """A diary of these rows."""
    text = io.StringIO()
    writer = csv.DictWriter(text, diary.COLUMNS, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def patient(**others: Any) -> dict[str, Any]:
    """A Patient to be contained."""
    return {
        "resourceType": "Patient",
        "id": "p",
        "identifier": [{"system": NHS_NUMBER, "value": "9990000018"}],
        "name": [{"family": "Teak", "given": ["Ann"]}],
        "telecom": [{"system": "phone", "value": "07700 900123", "use": "mobile"}],
        "birthDate": "1958-03-31",
    } | others


def organisation(code: str, **others: Any) -> dict[str, Any]:
    """An Organization that books, to be contained."""
    return {
        "resourceType": "Organization",
        "id": "o",
        "identifier": [{"system": ODS_CODE, "value": code}],
        "name": "Kent 111",
        "telecom": [{"system": "phone", "value": "01227 000111"}],
    } | others


def appointment(slot: str = "slot-1", /, who: dict[str, Any] | None = None, **others: Any) -> dict[str, Any]:
    """An Appointment that asks for nine o'clock on the Monday."""
    return {
        "resourceType": "Appointment",
        "contained": [patient() if who is None else who],
        "status": "booked",
        "description": "Back pain",
        "comment": "Walks with a stick",
        "start": "2024-07-22T09:00:00+01:00",
        "end": "2024-07-22T09:10:00+01:00",
        "slot": [{"reference": f"Slot/{slot}"}],
        "created": "2024-07-19T12:00:00+01:00",
        "participant": [{"actor": {"reference": "#p"}, "status": "accepted"}],
    } | others


def reason(code: str = "pat") -> dict[str, Any]:
    """A cancellation reason."""
    return {"coding": [{"system": CANCELLATION_REASON, "code": code}]}
