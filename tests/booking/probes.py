"""What a practice's system may try at another practice: requests on every route that name somebody else's things."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from services.booking.fhir.resources import NHS_NUMBER, ODS_CODE, REPLACES
from tests.booking.paper import BOB, CSV, appointment, diary_file, organisation, reason, row
from tests.booking.surgery import EVERY_STATUS, FHIR, WEEK

ODS, NUMBER = f"{ODS_CODE}|", f"{NHS_NUMBER}|"


@dataclass(frozen=True, slots=True)
class Names:
    """What a request names: somebody's things, or nobody's. `own` are the asking practice's own."""

    slot: str
    session: str
    appointment: str
    practice: str
    nhs_number: str
    identifier: str
    etag: str = 'W/"2"'
    own: "Names | None" = None

    @property
    def mine(self) -> "Names":
        assert self.own is not None
        return self.own


@dataclass(frozen=True, slots=True)
class Ask:
    """A request about the names; `route` is its template."""

    route: str
    path: str
    send: Mapping[str, Any] = field(default_factory=dict)

    @property
    def method(self) -> str:
        """How it is asked."""
        return self.route.partition(" ")[0]


Probe = Callable[[Names], Ask]


def get(route: str, path: Callable[[Names], str], **params: Callable[[Names], str]) -> Probe:
    """A GET of this path with these parameters."""
    return lambda n: Ask(f"GET {route}", path(n), {"params": {name: value(n) for name, value in params.items()}})


def send(route: str, path: Callable[[Names], str], **what: Callable[[Names], Any]) -> Probe:
    """A request of this route's method that sends this, as httpx takes it."""
    return lambda n: Ask(route, path(n), {name: value(n) for name, value in what.items()})


def search(kind: str, params: Callable[[Names], Mapping[str, str]]) -> Sequence[Probe]:
    """The search by address, and by form."""
    return [
        lambda n: Ask(f"GET {FHIR}/{kind}", f"{FHIR}/{kind}", {"params": params(n)}),
        lambda n: Ask(f"POST {FHIR}/{kind}/_search", f"{FHIR}/{kind}/_search", {"data": params(n)}),
    ]


def reads(kind: str, id: Callable[[Names], str]) -> Sequence[Probe]:
    """Reading it as it is, as it was, and its history."""
    base = f"{FHIR}/{kind}/{{id}}"
    return [
        get(base, lambda n: f"{FHIR}/{kind}/{id(n)}"),
        get(f"{base}/_history", lambda n: f"{FHIR}/{kind}/{id(n)}/_history"),
        get(f"{base}/_history/{{version}}", lambda n: f"{FHIR}/{kind}/{id(n)}/_history/2"),
    ]


def booking(n: Names, **others: Any) -> dict[str, Any]:
    """A booking of the slot named, for the patient that A1 has."""
    return appointment(n.slot, **others)


def hold(n: Names, **others: Any) -> dict[str, Any]:
    """A hold of the slot named."""
    whole = booking(n) | {"status": "pending"} | others
    left_out = {"contained", "description", "comment", "participant"} - others.keys()
    return {name: value for name, value in whole.items() if name not in left_out}


def parameters(*slots: str, why: bool = False) -> dict[str, Any]:
    """Parameters of an operation."""
    given: list[dict[str, Any]] = [{"name": "slot", "valueReference": {"reference": f"Slot/{slot}"}} for slot in slots]
    if why:
        given.append({"name": "reason", "valueCodeableConcept": reason()})
    return {"resourceType": "Parameters", "parameter": given}


def bundle(kind: str, *entries: dict[str, Any]) -> dict[str, Any]:
    """A Bundle to be processed."""
    return {"resourceType": "Bundle", "type": kind, "entry": list(entries)}


def entry(method: str, url: str, resource: dict[str, Any] | None = None, **request: str) -> dict[str, Any]:
    """An entry of it."""
    told: dict[str, Any] = {"request": {"method": method, "url": url, **request}}
    return told | {"resource": resource} if resource else told


def cancelling(n: Names) -> dict[str, Any]:
    """The appointment named, as if it had been read, to be cancelled."""
    return booking(n) | {"id": n.appointment, "status": "cancelled", "cancelationReason": reason()}


SLOT: dict[str, Any] = {"start": "2024-07-22T09:50", "minutes": 10}
PAGE: dict[str, Any] = {"name": "Morning", "clinician": "Dr Jones", "slots": [SLOT]}
EACH_SLOT: Sequence[Probe] = [
    *reads("Slot", lambda n: n.slot),
    get("/v1/slots/{id}/visibility", lambda n: f"/v1/slots/{n.slot}/visibility"),
    get("/v1/slots/{id}/visibility", lambda n: f"/v1/slots/{n.slot}/visibility", **{"for": lambda _: "A1"}),
    get("/v1/slots/{id}/visibility", lambda n: f"/v1/slots/{n.slot}/visibility", **{"for": lambda _: "U1"}),
    *(
        send(f"POST {FHIR}/Appointment", lambda _: f"{FHIR}/Appointment", json=body)
        for body in (
            booking,
            hold,
            lambda n: booking(n, end="2024-07-22T09:15:00+01:00"),
            lambda n: booking(n, slot=[{"reference": f"Slot/{slot}"} for slot in (n.mine.slot, n.slot)]),
            lambda n: booking(n, serviceType=[{"text": "Something else"}]),
            lambda n: booking(n, participant=[*appointment()["participant"], at_a2()]),
            lambda n: booking(n, contained=[*booking(n)["contained"], organisation("U9")]),
            lambda n: booking(n, extension=[replacing("nobody-s")]),
            lambda n: hold(n, participant=[at_a2()]),
            lambda n: hold(n, contained=[organisation("U9", name=None, telecom=None)]),
        )
    ),
    send(
        f"POST {FHIR}/Appointment",
        lambda _: f"{FHIR}/Appointment",
        json=lambda n: booking(n, identifier=[{"system": "urn:a", "value": "1"}]),
        headers=lambda _: {"If-None-Exist": "identifier=urn:a|1"},
    ),
    send(
        f"POST {FHIR}/Appointment",
        lambda _: f"{FHIR}/Appointment",
        json=booking,
        headers=lambda _: {"Idempotency-Key": "key"},
    ),
    *(
        send(f"POST {FHIR}/Appointment/$hold", lambda _: f"{FHIR}/Appointment/$hold", json=body)
        for body in (
            lambda n: parameters(n.slot),
            lambda n: parameters(n.mine.slot, n.slot),
            lambda n: parameters(n.slot, n.mine.slot),
        )
    ),
    *(
        send(
            f"POST {FHIR}/Appointment/{{id}}/$reschedule",
            lambda n: f"{FHIR}/Appointment/{n.mine.appointment}/$reschedule",
            json=lambda n: parameters(n.slot, why=True),
            headers=headers,
        )
        for headers in (
            lambda n: {"If-Match": n.mine.etag},
            lambda n: {"If-Match": 'W/"1"'},
            lambda n: {"If-Match": n.mine.etag, "Idempotency-Key": "key"},
        )
    ),
    *search("Appointment", lambda n: {"slot": n.slot}),
    *(
        send(f"POST {FHIR}", lambda _: FHIR, json=body)
        for body in (
            lambda n: bundle("batch", entry("GET", f"Slot/{n.slot}"), entry("POST", "Appointment", booking(n))),
            lambda n: bundle("transaction", entry("POST", "Appointment", booking(n))),
            lambda n: bundle("transaction", entry("POST", "Appointment/$hold", parameters(n.slot))),
        )
    ),
    *(
        send(
            f"{method} /v1/sessions/{{session}}/withdrawal",
            lambda n: f"/v1/sessions/{n.mine.session}/withdrawal",
            **what,
        )
        for method, what in (
            ("GET", {"params": lambda n: {"slots": n.slot}}),
            ("POST", {"json": lambda n: {"slots": [n.slot], "reason": "Ill"}}),
        )
    ),
]
"""About a slot, be it free, held, taken or withdrawn."""

EACH_APPOINTMENT: Sequence[Probe] = [
    *reads("Appointment", lambda n: n.appointment),
    get("/v1/appointments/{id}", lambda n: f"/v1/appointments/{n.appointment}"),
    *(
        send(f"PUT {FHIR}/Appointment/{{id}}", lambda n: f"{FHIR}/Appointment/{n.appointment}", json=body, **headers)
        for headers in ({"headers": lambda n: {"If-Match": n.etag}}, {"headers": lambda _: {"If-Match": 'W/"1"'}}, {})
        for body in (
            cancelling,
            lambda n: cancelling(n) | {"status": "arrived"},
            lambda n: cancelling(n) | {"status": "booked", "comment": "Changed"},
            lambda _: {"resourceType": "Slot"},
        )
    ),
    *(
        send(
            f"POST {FHIR}/Appointment/{{id}}/$reschedule",
            lambda n: f"{FHIR}/Appointment/{n.appointment}/$reschedule",
            json=lambda n: parameters(n.mine.slot, why=True),
            **headers,
        )
        for headers in ({"headers": lambda n: {"If-Match": n.etag}}, {})
    ),
    send(
        f"POST {FHIR}/Appointment",
        lambda _: f"{FHIR}/Appointment",
        json=lambda n: booking(n.mine, extension=[replacing(n.appointment)]),
    ),
    *search("Appointment", lambda n: {"_id": n.appointment}),
    send(
        f"POST {FHIR}",
        lambda _: FHIR,
        json=lambda n: bundle(
            "batch",
            entry("GET", f"Appointment/{n.appointment}"),
            entry("GET", f"Appointment/{n.appointment}/_history"),
            entry("PUT", f"Appointment/{n.appointment}", cancelling(n), ifMatch=n.etag),
        ),
    ),
    send(
        f"POST {FHIR}",
        lambda _: FHIR,
        json=lambda n: bundle(
            "transaction", entry("PUT", f"Appointment/{n.appointment}", cancelling(n), ifMatch=n.etag)
        ),
    ),
]
"""About an appointment, be it held, booked or cancelled."""

THE_REST: Sequence[Probe] = [
    *reads("Schedule", lambda n: n.session),
    *search("Schedule", lambda n: {"_id": n.session}),
    *search("Schedule", lambda n: {"actor:HealthcareService.identifier": f"{ODS}{n.practice}", "date": "2024-07-22"}),
    *search("Slot", lambda n: {**WEEK, **EVERY_STATUS, "schedule": f"Schedule/{n.session}"}),
    *search("Slot", lambda n: {**WEEK, **EVERY_STATUS, "schedule.actor:HealthcareService": f"{ODS}{n.practice}"}),
    *search(
        "Slot",
        lambda n: {
            **WEEK,
            "status": "free",
            "schedule.actor:HealthcareService": f"{ODS}{n.practice}",
            "searchFilter": f"{ODS}{n.practice}",
        },
    ),
    *search("Appointment", lambda n: {"patient:identifier": f"{NUMBER}{n.nhs_number}"}),
    *search("Appointment", lambda n: {"identifier": n.identifier}),
    *search("Appointment", lambda n: {"actor:HealthcareService": f"{ODS}{n.practice}", "date": "2024-07-22"}),
    send(
        f"POST {FHIR}/Appointment",
        lambda _: f"{FHIR}/Appointment",
        json=lambda n: booking(replace(n, slot="nobody-s"), identifier=[identifier_of(n)]),
        headers=lambda n: {"If-None-Exist": f"identifier={n.identifier}"},
    ),
    get("/v1/practices", lambda _: "/v1/practices"),
    get("/v1/practices/{practice}/opening", lambda n: f"/v1/practices/{n.practice}/opening"),
    send("PUT /v1/practices/{practice}/opening", lambda n: f"/v1/practices/{n.practice}/opening", json=lambda _: {}),
    send(
        "PUT /v1/practices/{practice}/opening",
        lambda n: f"/v1/practices/{n.practice}/opening",
        json=lambda _: {"organisation_types": ["No type"]},
    ),
    *(
        send(
            "POST /v1/diary",
            lambda _: "/v1/diary",
            content=lambda n: diary_file(row(BOB, practice=n.practice), row(start="2024-07-23T09:00")),
            headers=lambda _: CSV,
            params=params,
        )
        for params in (lambda _: {}, lambda _: {"keep_good": "true"})
    ),
    get("/v1/day-list", lambda _: "/v1/day-list", practice=lambda n: n.practice, date=lambda _: "2024-07-22"),
    get("/v1/changes", lambda _: "/v1/changes", practice=lambda n: n.practice),
    get("/v1/sessions/{session}", lambda n: f"/v1/sessions/{n.session}"),
    send("POST /v1/sessions", lambda _: "/v1/sessions", json=lambda n: {**PAGE, "practice": n.practice}),
    send(
        "POST /v1/sessions/{session}/slots",
        lambda n: f"/v1/sessions/{n.session}/slots",
        json=lambda _: {"slots": [SLOT]},
    ),
    send(
        "POST /v1/sessions/{session}/slots",
        lambda n: f"/v1/sessions/{n.session}/slots",
        json=lambda _: {"slots": [SLOT | {"start": "2024-07-29T09:00"}]},
    ),
    get("/v1/sessions/{session}/opening", lambda n: f"/v1/sessions/{n.session}/opening"),
    send("PUT /v1/sessions/{session}/opening", lambda n: f"/v1/sessions/{n.session}/opening", json=lambda _: {}),
    get("/v1/sessions/{session}/withdrawal", lambda n: f"/v1/sessions/{n.session}/withdrawal"),
    send(
        "POST /v1/sessions/{session}/withdrawal",
        lambda n: f"/v1/sessions/{n.session}/withdrawal",
        json=lambda _: {"reason": "Ill"},
    ),
    send(
        "POST /v1/sessions/{session}/withdrawal",
        lambda n: f"/v1/sessions/{n.session}/withdrawal",
        json=lambda n: {"reason": "Ill", "confirmation": f"5-{n.session}"},
    ),
]
"""About a session, a practice or a patient."""


def at_a2() -> dict[str, Any]:
    """A participant that is neither practice."""
    return {"actor": {"identifier": {"system": ODS_CODE, "value": "A2"}}, "status": "accepted"}


def replacing(appointment: str) -> dict[str, Any]:
    """What says that a booking is in another's place."""
    return {"url": REPLACES, "valueReference": {"reference": f"Appointment/{appointment}"}}


def identifier_of(n: Names) -> dict[str, str]:
    """The business identifier, as FHIR has it."""
    system, _, value = n.identifier.partition("|")
    return {"system": system, "value": value}
