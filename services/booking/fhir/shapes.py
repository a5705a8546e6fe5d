"""The shapes of the resources that callers send, down to the last element: what stands in none of them is refused.

Daybook keeps what it takes. An element that it would have to drop is named to whoever sent it instead.
"""

import re
from typing import Any, TypeVar

import msgspec
from msgspec import Struct

from services.booking.fhir.resources import Json
from shared.refusals import Refusal

S = TypeVar("S", bound=Struct)

_COMPLAINT = re.compile(r"(?P<what>.*?)(?: - at `\$(?P<path>.*)`)?", re.DOTALL)
_UNKNOWN = re.compile(r"Object contains unknown field `(?P<name>.*)`", re.DOTALL)
_NAME = re.compile(r"_?[A-Za-z][A-Za-z0-9]{0,63}")


class _Element(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True, rename="camel"):
    """Names are FHIR's, in Python's spelling."""


class Coding(_Element, frozen=True):
    """`display` only says in words what the code says."""

    system: str = ""
    code: str = ""
    display: str = ""


class Concept(_Element, frozen=True):
    coding: tuple[Coding, ...] = ()
    text: str = ""


class Identifier(_Element, frozen=True):
    """Of a patient or an organisation."""

    use: str = ""
    system: str = ""
    value: str = ""


class BusinessIdentifier(_Element, frozen=True):
    """Of an appointment."""

    system: str = ""
    value: str = ""


class Reference(_Element, frozen=True):
    reference: str = ""
    type: str = ""
    identifier: Identifier | None = None
    display: str = ""


class HumanName(_Element, frozen=True):
    use: str = ""
    text: str = ""
    family: str = ""
    given: tuple[str, ...] = ()


class Contact(_Element, frozen=True):
    system: str = ""
    value: str = ""
    use: str = ""
    rank: int = 1


class Meta(_Element, frozen=True):
    """Versions and instants are the server's own, whatever is sent (R4); a profile is a claim that it checks."""

    version_id: str = ""
    last_updated: str = ""
    profile: tuple[str, ...] = ()


class Narrative(_Element, frozen=True):
    """Words made from the rest of the resource; `additional` ones would say more, and are refused."""

    status: str = ""
    div: str = ""


class Extension(_Element, frozen=True):
    url: str
    value_reference: Reference | None = None
    value_code: str | None = None
    value_codeable_concept: Concept | None = None
    value_date_time: str | None = None


class Patient(_Element, frozen=True, tag_field="resourceType", tag="Patient"):
    id: str = ""
    meta: Meta | None = None
    text: Narrative | None = None
    identifier: tuple[Identifier, ...] = ()
    name: tuple[HumanName, ...] = ()
    telecom: tuple[Contact, ...] = ()
    birth_date: str = ""


class Organization(_Element, frozen=True, tag_field="resourceType", tag="Organization"):
    id: str = ""
    meta: Meta | None = None
    text: Narrative | None = None
    identifier: tuple[Identifier, ...] = ()
    type: tuple[Concept, ...] = ()
    name: str = ""
    telecom: tuple[Contact, ...] = ()


class Participant(_Element, frozen=True):
    actor: Reference | None = None
    required: str = "required"
    status: str = ""


class Appointment(_Element, frozen=True):
    """One that is to be booked or held. What the slot says already need not be sent, and is checked if it is."""

    resource_type: str
    id: str = ""
    meta: Meta | None = None
    text: Narrative | None = None
    language: str = ""
    contained: tuple[Patient | Organization, ...] = ()
    extension: tuple[Extension, ...] = ()
    identifier: tuple[BusinessIdentifier, ...] = ()
    status: str = ""
    service_category: tuple[Concept, ...] = ()
    service_type: tuple[Concept, ...] = ()
    priority: int = 0
    description: str | None = None
    start: str = ""
    end: str = ""
    minutes_duration: int | None = None
    slot: tuple[Reference, ...] = ()
    created: str | None = None
    comment: str | None = None
    participant: tuple[Participant, ...] = ()


class Parameter(_Element, frozen=True):
    name: str
    value_reference: Reference | None = None
    value_codeable_concept: Concept | None = None
    value_coding: Coding | None = None
    value_code: str | None = None


class Parameters(_Element, frozen=True):
    """What an operation is given."""

    resource_type: str
    id: str = ""
    meta: Meta | None = None
    parameter: tuple[Parameter, ...] = ()


class EntryRequest(_Element, frozen=True):
    method: str
    url: str
    if_match: str | None = None
    if_none_exist: str | None = None


class Entry(_Element, frozen=True):
    """One of a Bundle; `resource` is looked at by the interaction it is for."""

    request: EntryRequest
    full_url: str = ""
    resource: Any = None


class Bundle(_Element, frozen=True):
    """A batch or a transaction."""

    resource_type: str
    type: str = ""
    id: str = ""
    meta: Meta | None = None
    timestamp: str = ""
    entry: tuple[Entry, ...] = ()


def shaped(resource: Any, kind: type[S]) -> S:
    """The resource in this shape, by whose name its elements are spoken of. Raises `Refusal` that names the element."""
    name = kind.__name__
    if not isinstance(resource, dict) or resource.get("resourceType") != name:
        article = "an" if name[0] in "AEIOU" else "a"
        raise Refusal(f"The body must be {article} {name}", code="wrong-resource", where="resourceType")
    try:
        return msgspec.convert(resource, kind)
    except msgspec.ValidationError as misshapen:
        raise _refusal(name, str(misshapen)) from None


def plain(reference: Reference) -> Json:
    """The reference as it was sent."""
    built: Json = msgspec.to_builtins(reference)
    return built


def _refusal(resource: str, complaint: str) -> Refusal:
    """What was wrong, without what was sent: a value may be somebody's name."""
    found = _COMPLAINT.fullmatch(complaint)
    what, path = (found["what"], found["path"] or "") if found else (complaint, "")
    where = f"{resource}{path}"
    if unknown := _UNKNOWN.fullmatch(what):
        element = f"{where}.{unknown['name']}" if _NAME.fullmatch(unknown["name"]) else where
        return Refusal("Daybook cannot keep this element, so it does not take it", code="not-kept", where=element)
    if what.startswith("Invalid value"):
        why = "Daybook keeps no contained resource but the Patient and the booking Organization"
        return Refusal(why, code="not-kept", where=where.removesuffix(".resourceType"))
    return Refusal(f"{what.replace('`', '').replace(' | null', '')} here", code="invalid-resource", where=where)
