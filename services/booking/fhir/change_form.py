"""Reads what a PUT would change in an appointment: the one thing that it may, and a refusal for everything else."""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from typing import Any, get_args

import msgspec

from services.booking.commands import Mark
from services.booking.diary import LONGEST_DESCRIPTION
from services.booking.fhir.forms import LONGEST_COMMENT, BookingForm, read_booking, text
from services.booking.fhir.resources import CANCELLATION_REASON, Json
from services.booking.fhir.shapes import Concept
from shared.events.booking import CancelledBy
from shared.refusals import Refusal
from shared.seal import Details

REASONS = frozenset(
    {
        *("pat", "pat-crs", "pat-cpp", "pat-dec", "pat-fb", "pat-lt", "pat-mt", "pat-mv", "pat-preg", "pat-swl"),
        *("pat-uwp", "prov", "prov-pers", "prov-dch", "prov-edu", "prov-hosp", "prov-labs", "prov-mror", "prov-onc"),
        *("maint", "meds-inc", "other", "oth-cms", "oth-err", "oth-fin", "oth-iv", "oth-int", "oth-mu", "oth-room"),
        *("oth-oerr", "oth-swie", "oth-weath"),
    }
)
"""HL7's appointment-cancellation-reason, whole. Those that begin with `pat` are the patient's."""

_SERVERS_OWN = frozenset({"resourceType", "meta", "text"})
"""What the server gives, and a client sends back or not as it likes."""
_WHOLE = ("start", "end", "slot", "participant")
"""What every appointment has: without it, a PUT is a part of one, and what else it leaves out may not be meant."""


@dataclass(frozen=True, slots=True)
class Cancellation:
    """Why an appointment is called off."""

    cancelled_by: CancelledBy
    reason: str


@dataclass(frozen=True, slots=True)
class Release:
    """A hold is given up."""


@dataclass(frozen=True, slots=True)
class Amendment:
    """The whole new text."""

    details: Details


@dataclass(frozen=True, slots=True)
class Marking:
    """What the practice saw on the day."""

    mark: Mark


@dataclass(frozen=True, slots=True)
class Nothing:
    """All is as it was."""


Change = Cancellation | Release | Amendment | Marking | BookingForm | Nothing
"""What a PUT can ask for; a `BookingForm` confirms a hold."""


def read_change(resource: Any, current: Json, *, made_up: bool, base: str = "") -> Change:
    """The change from `current`, the appointment as it would be read now."""
    if not isinstance(resource, dict) or resource.get("resourceType") != "Appointment":
        raise Refusal("The body must be an Appointment", code="wrong-resource", where="resourceType")
    if resource.get("id") != current["id"]:
        raise _refused("id", "The id is not that of the address")
    match current["status"], resource.get("status"):
        case "pending", "booked":
            return _confirmation(resource, current, made_up=made_up, base=base)
        case "pending", "cancelled":
            _check_same(resource, current, {"status", "cancelationReason"})
            return Release()
        case _, "cancelled":
            return _cancellation(resource, current)
        case was, status if was == status:
            return _amendment(resource, current)
        case _, status if status in get_args(Mark):
            _check_same(resource, current, {"status"})
            return Marking(_mark(str(status)))
        case was, _:
            raise _refused("status", f"An appointment that is {was} cannot become this")


def read_reason(concept: Concept, where: str) -> Cancellation:
    """The one coded reason, and whose it is."""
    codes = [coding.code for coding in concept.coding if coding.system == CANCELLATION_REASON]
    if len(codes) != 1 or codes[0] not in REASONS:
        why = f"A cancellation needs a reason coded in {CANCELLATION_REASON}"
        raise Refusal(why, code="invalid-resource", where=where)
    if concept.text or len(concept.coding) > 1:
        raise Refusal("Daybook keeps one code of the reason, and no text", code="not-kept", where=where)
    return Cancellation("patient" if codes[0].partition("-")[0] == "pat" else "practice", codes[0])


def _confirmation(resource: Json, current: Json, *, made_up: bool, base: str) -> BookingForm:
    form = read_booking(resource, made_up=made_up, base=base)
    if form.replaces:
        raise _refused("extension", "What was held replaces nothing: reschedule the appointment instead", "not-kept")
    for element in ("slot", "start", "end"):
        if not _same(resource[element], current[element]):
            raise _refused(element, "What is booked must be what was held")
    return form


def _cancellation(resource: Json, current: Json) -> Cancellation | Nothing:
    """A cancellation sent again is the same one, though what was read before it lacks what it has led to.

    Whoever sends back all that it has led to has read it since, and wants nothing; it may have been moved, not called
    off.
    """
    concept, known = resource.get("cancelationReason"), current.get("cancelationReason")
    if current["status"] != "cancelled":
        _check_same(resource, current, {"status", "cancelationReason"})
        return read_reason(_concept(concept), "Appointment.cancelationReason")
    _check_same(resource, current, {"cancelationReason", "extension"})
    if concept == known and _same(resource.get("extension"), current.get("extension")):
        return Nothing()
    before = read_reason(_concept({"coding": known["coding"]} if known else None), "Appointment.cancelationReason")
    if concept != known and read_reason(_concept(concept), "Appointment.cancelationReason") != before:
        raise _refused("cancelationReason", "The appointment has been cancelled for another reason")
    return before


def _amendment(resource: Json, current: Json) -> Change:
    _check_same(resource, current, {"description", "comment"})
    for element in _WHOLE:
        if element in current and element not in resource:
            raise _refused(element, "Send the whole appointment, as you read it, with what you would amend")
    details = Details(
        description=text("description", _string(resource, "description"), LONGEST_DESCRIPTION),
        comment=text("comment", _string(resource, "comment"), LONGEST_COMMENT),
    )
    before = Details(description=current.get("description", ""), comment=current.get("comment", ""))
    if details == before:
        return Nothing()
    if current["status"] == "pending":
        raise _refused("description", "A hold has no patient yet, nor what concerns them: send it when you book")
    return Amendment(details)


def _check_same(resource: Json, current: Json, may_differ: AbstractSet[str]) -> None:
    for element in sorted(resource.keys() - may_differ - _SERVERS_OWN):
        if not _same(resource[element], current.get(element)):
            raise _refused(element, "This may not change, or not together with what else does")


def _same(sent: Any, have: Any) -> bool:
    """Whether both say the same; a time may be written in another offset."""
    match sent, have:
        case dict(), dict():
            return sent.keys() == have.keys() and all(_same(sent[name], have[name]) for name in sent)
        case list(), list():
            return len(sent) == len(have) and all(map(_same, sent, have))
        case str(), str():
            return sent == have or _same_instant(sent, have)
        case _:
            return type(sent) is type(have) and bool(sent == have)


def _same_instant(sent: str, have: str) -> bool:
    try:
        one, other = datetime.fromisoformat(sent), datetime.fromisoformat(have)
    except ValueError:
        return False
    return one.tzinfo is not None and other.tzinfo is not None and one == other


def _concept(sent: Any) -> Concept:
    try:
        return msgspec.convert(sent, Concept)
    except msgspec.ValidationError:
        why = f"A cancellation needs a reason coded in {CANCELLATION_REASON}"
        raise _refused("cancelationReason", why) from None


def _string(resource: Json, element: str) -> str | None:
    value = resource.get(element)
    if value is not None and not isinstance(value, str):
        raise _refused(element, "This must be text")
    return value


def _mark(status: str) -> Mark:
    known: dict[str, Mark] = {mark: mark for mark in get_args(Mark)}
    return known[status]


def _refused(element: str, why: str, code: str = "invalid-resource") -> Refusal:
    return Refusal(why, code=code, where=f"Appointment.{element}")
