"""Reads the FHIR resources that callers send: what Daybook keeps of them, and a refusal for what it could not keep."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.booking import patients
from services.booking.diary import LONGEST_DESCRIPTION
from services.booking.fhir import CANCELLATION_REASON, NHS_NUMBER, ODS_CODE, Json
from shared.events.booking import CancelledBy
from shared.nhs import nhs_number
from shared.refusals import Refusal
from shared.seal import Details, PatientBlock

LONGEST_COMMENT = 500

_MAY_DIFFER = frozenset({"resourceType", "id", "meta", "text", "status", "cancelationReason", "start", "end"})
"""What need not be equal, word for word, in an Appointment that is cancelled; the times are compared as instants."""
_KEPT = _MAY_DIFFER - {"cancelationReason"} | {
    *("language", "extension", "contained", "identifier", "serviceType", "priority", "description"),
    *("minutesDuration", "slot", "created", "comment", "participant"),
}
"""What may stand in an Appointment to be booked. All else would be lost, so it is refused."""

_REASONS = frozenset({"pat", "prov", "maint", "meds", "other", "oth"})
"""The families of HL7's cancellation reasons: the code up to its first hyphen."""


@dataclass(frozen=True, slots=True)
class BookingForm:
    """What somebody asks to be booked."""

    slots: tuple[str, ...]
    start: datetime
    end: datetime
    patient: PatientBlock
    textable: bool
    details: Details
    priority: int
    booked_by: str
    identifier: str


@dataclass(frozen=True, slots=True)
class CancellationForm:
    """Why an appointment is called off."""

    cancelled_by: CancelledBy
    reason: str


def read_booking(resource: Any, *, made_up: bool) -> BookingForm:
    """An Appointment that asks to be booked."""
    sent = _appointment(resource)
    if unknown := sorted(sent.keys() - _KEPT):
        raise _refused(unknown[0], "Daybook cannot keep this element, so it does not take it", code="not-kept")
    if sent.get("status") != "booked":
        raise _refused("status", "An appointment is booked with status “booked”")
    patient, textable = _patient(sent, made_up=made_up)
    start, end = _instant(sent, "start"), _instant(sent, "end")
    _check_minutes(sent, start, end)
    return BookingForm(
        slots=tuple(_slot(reference) for reference in _objects(sent, "slot")),
        start=start,
        end=end,
        patient=patient,
        textable=textable,
        details=Details(
            description=_text(sent, "description", LONGEST_DESCRIPTION),
            comment=_text(sent, "comment", LONGEST_COMMENT),
        ),
        priority=_priority(sent),
        booked_by=_organisation(sent),
        identifier=_identifier(sent),
    )


def read_cancellation(resource: Any, current: Json) -> CancellationForm:
    """An Appointment as it was read, with only its status and the reason changed."""
    sent = _appointment(resource)
    if sent.get("id") != current["id"]:
        raise _refused("id", "The id is not that of the address")
    if sent.get("status") != "cancelled":
        raise _refused("status", "An appointment is changed here only by cancelling it")
    for element in sorted(sent.keys() - _MAY_DIFFER):
        if sent[element] != current.get(element):
            raise _refused(element, "Nothing but the status may change when an appointment is cancelled")
    for element in ("start", "end"):
        if element in sent and _instant(sent, element) != datetime.fromisoformat(current[element]):
            raise _refused(element, "Nothing but the status may change when an appointment is cancelled")
    return _reason(sent)


def _reason(sent: Json) -> CancellationForm:
    reason = sent.get("cancelationReason")
    codings = _objects(reason, "coding") if isinstance(reason, dict) else []
    codes = [coding.get("code") for coding in codings if coding.get("system") == CANCELLATION_REASON]
    code = codes[0] if codes else None
    if not isinstance(code, str) or code.partition("-")[0] not in _REASONS:
        raise _refused("cancelationReason", f"A cancellation needs a reason coded in {CANCELLATION_REASON}")
    return CancellationForm("patient" if code.partition("-")[0] == "pat" else "practice", code)


def _appointment(resource: Any) -> Json:
    if not isinstance(resource, dict) or resource.get("resourceType") != "Appointment":
        raise Refusal("The body must be an Appointment", code="wrong-resource", where="resourceType")
    return resource


def _patient(sent: Json, *, made_up: bool) -> tuple[PatientBlock, bool]:
    contained = [resource for resource in _objects(sent, "contained") if resource.get("resourceType") == "Patient"]
    if len(contained) != 1:
        raise _refused("contained", "The patient must be contained in the appointment, and nobody else")
    patient = contained[0]
    _check_participants(sent, patient)
    names = _objects(patient, "name")
    given = names[0].get("given") if names else None
    if not names or not isinstance(given, list) or not all(isinstance(part, str) for part in given):
        raise _refused("contained.name", "A patient has a family name and given names")
    mobile, textable = patients.telephone(_telecom(patient), made_up=made_up)
    block = PatientBlock(
        nhs_number=_nhs_number(patient),
        given_name=patients.name(" ".join(given), "Appointment.contained.name.given"),
        family_name=patients.name(_string(names[0], "family"), "Appointment.contained.name.family"),
        birth_date=patients.birth_date(_string(patient, "birthDate")),
        mobile=mobile,
    )
    return block, textable


def _check_participants(sent: Json, patient: Json) -> None:
    participants = _objects(sent, "participant")
    actors = [actor for actor in (participant.get("actor") for participant in participants) if isinstance(actor, dict)]
    if not any(actor.get("reference") == f"#{patient.get('id')}" for actor in actors):
        raise _refused("participant", "One participant must refer to the contained patient")
    if not all(isinstance(participant.get("status"), str) for participant in participants):
        raise _refused("participant.status", "Every participant has a status")


def _nhs_number(patient: Json) -> str:
    """The one identifier of NHS numbers; “/id/” is taken for “/Id/”, as national examples write either."""
    identifiers = _objects(patient, "identifier")
    values = [found.get("value") for found in identifiers if _is_system(found, NHS_NUMBER)]
    if len(values) != 1 or not isinstance(values[0], str):
        raise Refusal(
            f"The patient needs one identifier of {NHS_NUMBER}",
            code="bad-identifier-system",
            where="Appointment.contained.identifier",
        )
    return nhs_number(values[0])


def _is_system(identifier: Json, system: str) -> bool:
    return str(identifier.get("system", "")).replace("/id/", "/Id/") == system


def _telecom(patient: Json) -> str:
    """A mobile before any other telephone."""
    phones = [telecom for telecom in _objects(patient, "telecom") if telecom.get("system") in ("phone", "sms")]
    phones.sort(key=lambda telecom: telecom.get("use") != "mobile")
    return _string(phones[0], "value") if phones else ""


def _organisation(sent: Json) -> str:
    """The ODS code of the organisation that books, if it is contained."""
    organisations = [found for found in _objects(sent, "contained") if found.get("resourceType") == "Organization"]
    identifiers = [identifier for found in organisations for identifier in _objects(found, "identifier")]
    codes = [_string(identifier, "value") for identifier in identifiers if _is_system(identifier, ODS_CODE)]
    return codes[0] if codes else ""


def _identifier(sent: Json) -> str:
    identifiers = _objects(sent, "identifier")
    if len(identifiers) > 1:
        raise _refused("identifier", "Daybook keeps one business identifier of an appointment")
    if not identifiers:
        return ""
    return f"{_string(identifiers[0], 'system')}|{_string(identifiers[0], 'value')}"


def _slot(reference: Json) -> str:
    kind, _, found = _string(reference, "reference").rpartition("/")
    if kind.rpartition("/")[2] != "Slot" or not found:
        raise _refused("slot", "A slot is referred to as Slot/…")
    return found


def _priority(sent: Json) -> int:
    priority = sent.get("priority", 0)
    if type(priority) is not int or not 0 <= priority <= 9:
        raise _refused("priority", "A priority is 0 for none, else 1 (highest) to 9")
    return priority


def _check_minutes(sent: Json, start: datetime, end: datetime) -> None:
    if "minutesDuration" in sent and sent["minutesDuration"] != (end - start).total_seconds() / 60:
        raise _refused("minutesDuration", "The duration is not that from start to end")


def _instant(sent: Json, element: str) -> datetime:
    try:
        parsed = datetime.fromisoformat(_string(sent, element))
    except ValueError:
        parsed = None
    if parsed is None or parsed.tzinfo is None:
        raise _refused(element, "A time is written with its offset, as 2024-07-22T09:10:00+01:00")
    return parsed


def _text(sent: Json, element: str, longest: int) -> str:
    text = _string(sent, element)
    if len(text) > longest:
        raise _refused(element, f"The text has {len(text)} characters; {longest} is the most", code="too-long")
    return text


def _string(sent: Mapping[str, Any], element: str) -> str:
    value = sent.get(element, "")
    if not isinstance(value, str):
        raise _refused(element, "This must be text")
    return value


def _objects(sent: Mapping[str, Any], element: str) -> list[Json]:
    value = sent.get(element, [])
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise _refused(element, "This must be a list of objects")
    return value


def _refused(element: str, why: str, code: str = "invalid-resource") -> Refusal:
    return Refusal(why, code=code, where=f"Appointment.{element}")
