"""What FHIR does not define and Daybook adds, defined as FHIR wants it: search parameters and operations of its own."""

from collections.abc import Sequence

from services.booking.fhir.resources import Json


def search_parameter(resource: str, name: str, kind: str, text: str, expression: str = "") -> Json:
    """A SearchParameter to be contained, its id `<resource>-<name>` in small letters."""
    id = f"{resource}-{name}".lower()
    found: Json = {
        "resourceType": "SearchParameter",
        "id": id,
        "url": f"urn:daybook:search-parameter:{id}",
        "name": f"{resource}{name[0].upper()}{name[1:]}",
        "status": "active",
        "description": text,
        "code": name,
        "base": [resource],
        "type": kind,
    }
    return found | ({"expression": expression} if expression else {})


def operation(name: str, text: str, takes: Sequence[Json], *, of_instance: bool) -> Json:
    """An OperationDefinition on Appointment to be contained, its id `appointment-<name>`."""
    gives = {
        "name": "return",
        "use": "out",
        "min": 1,
        "max": "1",
        "type": "Appointment",
        "documentation": "The new appointment",
    }
    return {
        "resourceType": "OperationDefinition",
        "id": f"appointment-{name}",
        "url": f"urn:daybook:operation:appointment-{name}",
        "name": name.capitalize(),
        "status": "active",
        "kind": "operation",
        "affectsState": True,
        "description": text,
        "code": name,
        "resource": ["Appointment"],
        "system": False,
        "type": not of_instance,
        "instance": of_instance,
        "parameter": [*takes, gives],
    }


def taken(name: str, kind: str, text: str, most: str = "1") -> Json:
    """A parameter that an operation takes; `most` is how many times."""
    return {"name": name, "use": "in", "min": 1, "max": most, "type": kind, "documentation": text}


HOLD = operation(
    "hold",
    "Keeps slots for a patient who is about to be booked, until the time in the answer's Expires header.",
    [taken("slot", "Reference", "A slot, or several that adjoin", "*")],
    of_instance=False,
)
RESCHEDULE = operation(
    "reschedule",
    "Gives the patient other slots of the practice and gives back the old ones, in one transaction. Needs If-Match.",
    [
        taken("slot", "Reference", "The new slot, or several that adjoin", "*"),
        taken("reason", "CodeableConcept", "Why, as an appointment-cancellation-reason"),
    ],
    of_instance=True,
)
