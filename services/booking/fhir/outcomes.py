"""Refusals as FHIR OperationOutcomes: the status, the issue type, and the code that NHS consumers know."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from services.booking.fhir.alternatives import Run
from services.booking.fhir.resources import Json, local
from services.booking.fhir.writing import SlotTaken
from shared.access import Forbidden, TokenRefused, TooMany
from shared.gate import Fault
from shared.http import Answered
from shared.refusals import Conflict, NotFound, Refusal, Unavailable

SPINE = "https://fhir.nhs.uk/CodeSystem/Spine-ErrorOrWarningCode"
DAYBOOK = "urn:daybook:refusal"
"""The code system of Daybook's own refusals: finer than the national one."""
ALTERNATIVE = "urn:daybook:alternative-slot"
"""The extension of an issue that refers to a slot still free, one for each of those to be booked together."""


class InEntry(Refusal):
    """What is wrong with one entry of a transaction, and so with the whole of it. Entries are counted from 0."""

    def __init__(self, refusal: Refusal, entry: int) -> None:
        super().__init__(refusal.message, code=refusal.code, where=refusal.where)
        self.refusal = refusal
        self.entry = entry


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a kind of refusal is told."""

    status: int
    issue: str
    spine: str = ""


_BY_CODE: Mapping[str, Outcome] = MappingProxyType(
    {
        "bad-json": Outcome(400, "structure", "BAD_REQUEST"),
        "bad-text": Outcome(400, "value", "BAD_REQUEST"),
        "bad-parameters": Outcome(400, "structure", "BAD_REQUEST"),
        "bad-header": Outcome(400, "value", "BAD_REQUEST"),
        "wrong-resource": Outcome(400, "structure", "BAD_REQUEST"),
        "unknown-parameter": Outcome(400, "not-supported", "BAD_REQUEST"),
        "if-match-missing": Outcome(400, "required", "BAD_REQUEST"),
        "bad-nhs-number": Outcome(400, "value", "INVALID_NHS_NUMBER"),
        "bad-identifier-system": Outcome(400, "value", "INVALID_IDENTIFIER_SYSTEM"),
        "bad-identifier-value": Outcome(400, "value", "INVALID_IDENTIFIER_VALUE"),
        "missing-name": Outcome(400, "required", "INVALID_PATIENT_DEMOGRAPHICS"),
        "bad-birth-date": Outcome(400, "value", "INVALID_PATIENT_DEMOGRAPHICS"),
        "bad-telephone": Outcome(400, "value", "INVALID_PATIENT_DEMOGRAPHICS"),
        "token-expired": Outcome(401, "expired", "ACCESS_DENIED"),
        "slot-kept": Outcome(403, "forbidden", "ACCESS_DENIED"),
        "unknown-practice": Outcome(404, "not-found", "ORGANISATION_NOT_FOUND"),
        "slot-taken": Outcome(409, "conflict", "DUPLICATE_REJECTED"),
        "lost-race": Outcome(409, "conflict", "DUPLICATE_REJECTED"),
        "version-mismatch": Outcome(412, "conflict", "FHIR_CONSTRAINT_VIOLATION"),
        "several-match": Outcome(412, "multiple-matches", "FHIR_CONSTRAINT_VIOLATION"),
        "unknown-slot": Outcome(422, "not-found", "REFERENCE_NOT_FOUND"),
        "unknown-reference": Outcome(422, "not-found", "REFERENCE_NOT_FOUND"),
        "missing-parameter": Outcome(422, "required", "INVALID_PARAMETER"),
        "bad-parameter": Outcome(422, "value", "INVALID_PARAMETER"),
        "span-too-wide": Outcome(422, "too-costly", "INVALID_PARAMETER"),
        "too-long": Outcome(422, "too-long", "INVALID_RESOURCE"),
        "not-kept": Outcome(422, "not-supported", "INVALID_RESOURCE"),
        "differs-from-slot": Outcome(422, "business-rule", "INVALID_RESOURCE"),
        "other-organisation": Outcome(422, "business-rule", "INVALID_RESOURCE"),
        "times-differ": Outcome(422, "business-rule", "INVALID_RESOURCE"),
        "slots-do-not-adjoin": Outcome(422, "business-rule", "INVALID_RESOURCE"),
        "slot-in-the-past": Outcome(422, "business-rule", "INVALID_RESOURCE"),
        "too-early": Outcome(422, "business-rule", "INVALID_RESOURCE"),
        "too-late": Outcome(422, "business-rule", "INVALID_RESOURCE"),
        "not-booked": Outcome(422, "business-rule", "INVALID_RESOURCE"),
        "key-reused": Outcome(422, "business-rule", "INVALID_RESOURCE"),
        "patient-erased": Outcome(422, "business-rule", "INVALID_RESOURCE"),
        "too-many-entries": Outcome(422, "too-costly", "INVALID_RESOURCE"),
    }
)
_FRAMEWORK: Mapping[int, Outcome] = MappingProxyType(
    {
        400: Outcome(400, "invalid", "BAD_REQUEST"),
        404: Outcome(404, "not-found", "NO_RECORD_FOUND"),
        405: Outcome(405, "not-supported", "BAD_REQUEST"),
        406: Outcome(406, "not-supported", "BAD_REQUEST"),
        413: Outcome(413, "too-long", "BAD_REQUEST"),
        415: Outcome(415, "not-supported", "BAD_REQUEST"),
    }
)


def outcome_of(refusal: Refusal) -> Outcome:
    """By its code, or else by its kind."""
    return _BY_CODE.get(refusal.code) or _by_kind(refusal.refusal if isinstance(refusal, InEntry) else refusal)


def _by_kind(refusal: Refusal) -> Outcome:
    match refusal:
        case Answered(status=status):
            return _FRAMEWORK.get(status, Outcome(status, "processing", "BAD_REQUEST"))
        case NotFound():
            return Outcome(404, "not-found", "NO_RECORD_FOUND")
        case Conflict():
            return Outcome(409, "conflict", "FHIR_CONSTRAINT_VIOLATION")
        case TokenRefused():
            return Outcome(401, "login", "ACCESS_DENIED")
        case Forbidden():
            return Outcome(403, "forbidden", "ACCESS_DENIED")
        case TooMany():
            return Outcome(429, "throttled")
        case Unavailable():
            return Outcome(503, "transient", "INTERNAL_SERVER_ERROR")
        case Fault():
            return Outcome(500, "exception", "INTERNAL_SERVER_ERROR")
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
    if expression := _expression(refusal):
        issue["expression"] = [expression]
    told = refusal.refusal if isinstance(refusal, InEntry) else refusal
    others = [_alternative(run) for run in told.alternatives] if isinstance(told, SlotTaken) else []
    return {"resourceType": "OperationOutcome", "issue": [issue, *others]}


def all_well(text: str) -> Json:
    """What `Prefer: return=OperationOutcome` is answered with."""
    issue = {"severity": "information", "code": "informational", "details": {"text": text}}
    return {"resourceType": "OperationOutcome", "issue": [issue]}


def _expression(refusal: Refusal) -> str:
    """Where it is, as FHIRPath, if it is in a resource."""
    if isinstance(refusal, InEntry):
        return f"Bundle.entry[{refusal.entry}]"
    return refusal.where if refusal.where.partition(".")[0] in ("Appointment", "Parameters", "Bundle") else ""


def _alternative(run: Run) -> Json:
    start = local(run[0].start)
    return {
        "extension": [
            {"url": ALTERNATIVE, "valueReference": {"reference": f"Slot/{free.slot}", "display": local(free.start)}}
            for free in run
        ],
        "severity": "information",
        "code": "informational",
        "details": {"text": f"Free at {start}"},
        "diagnostics": f"Free at {start}: {', '.join(f'Slot/{free.slot}' for free in run)}",
    }
