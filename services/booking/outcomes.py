"""Refusals as FHIR OperationOutcomes: the status, the issue type, and the code that NHS consumers know."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from services.booking.fhir import Json
from shared.refusals import Conflict, NotFound, Refusal, Unavailable

SPINE = "https://fhir.nhs.uk/CodeSystem/Spine-ErrorOrWarningCode"
DAYBOOK = "urn:daybook:refusal"
"""The code system of Daybook's own refusals: finer than the national one."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a kind of refusal is told."""

    status: int
    issue: str
    spine: str = ""


_BY_CODE: Mapping[str, Outcome] = MappingProxyType(
    {
        "bad-json": Outcome(400, "structure", "BAD_REQUEST"),
        "bad-header": Outcome(400, "value", "BAD_REQUEST"),
        "wrong-resource": Outcome(400, "structure", "BAD_REQUEST"),
        "missing-parameter": Outcome(400, "required", "BAD_REQUEST"),
        "if-match-missing": Outcome(400, "required", "BAD_REQUEST"),
        "bad-nhs-number": Outcome(400, "value", "INVALID_NHS_NUMBER"),
        "bad-identifier-system": Outcome(400, "value", "INVALID_IDENTIFIER_SYSTEM"),
        "slot-kept": Outcome(403, "forbidden", "ACCESS_DENIED"),
        "slot-taken": Outcome(409, "conflict", "DUPLICATE_REJECTED"),
        "lost-race": Outcome(409, "conflict", "DUPLICATE_REJECTED"),
        "version-mismatch": Outcome(412, "conflict", "FHIR_CONSTRAINT_VIOLATION"),
        "unknown-slot": Outcome(422, "not-found", "REFERENCE_NOT_FOUND"),
        "bad-parameter": Outcome(422, "value", "INVALID_PARAMETER"),
        "span-too-wide": Outcome(422, "too-costly", "INVALID_PARAMETER"),
        "too-long": Outcome(422, "too-long", "INVALID_RESOURCE"),
        "not-kept": Outcome(422, "not-supported", "INVALID_RESOURCE"),
        "slot-in-the-past": Outcome(422, "business-rule", "INVALID_RESOURCE"),
        "too-late": Outcome(422, "business-rule", "INVALID_RESOURCE"),
        "http-405": Outcome(405, "not-supported"),
        "http-413": Outcome(413, "too-long"),
        "http-415": Outcome(415, "not-supported"),
    }
)


def outcome_of(refusal: Refusal) -> Outcome:
    """By its code, or else by its kind."""
    return _BY_CODE.get(refusal.code) or _by_kind(refusal)


def _by_kind(refusal: Refusal) -> Outcome:
    match refusal:
        case NotFound():
            return Outcome(404, "not-found", "NO_RECORD_FOUND")
        case Conflict():
            return Outcome(409, "conflict")
        case Unavailable():
            return Outcome(503, "transient", "INTERNAL_SERVER_ERROR")
        case _ if refusal.code == "http-404":
            return Outcome(404, "not-found", "NO_RECORD_FOUND")
        case _:
            return Outcome(422, "invalid", "INVALID_RESOURCE")


def operation_outcome(refusal: Refusal) -> Json:
    """The refusal in full: the national code if there is one, Daybook's own, the sentence, and the element."""
    outcome = outcome_of(refusal)
    national = [{"system": SPINE, "code": outcome.spine}] if outcome.spine else []
    issue: Json = {
        "severity": "error",
        "code": outcome.issue,
        "details": {"coding": [*national, {"system": DAYBOOK, "code": refusal.code}], "text": refusal.message},
        "diagnostics": f"{refusal.where}: {refusal.message}" if refusal.where else refusal.message,
    }
    if refusal.where.startswith("Appointment."):
        issue["expression"] = [refusal.where]
    return {"resourceType": "OperationOutcome", "issue": [issue]}
