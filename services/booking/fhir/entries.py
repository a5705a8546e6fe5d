"""What the entries of a Bundle ask for: each is an interaction that could have come by itself."""

import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

from services.booking.fhir import reads
from services.booking.fhir.appointment_creates import prepare_create
from services.booking.fhir.appointment_updates import prepare_update
from services.booking.fhir.desk import Desk
from services.booking.fhir.holds import prepare_hold
from services.booking.fhir.http import BASE, read_parameters
from services.booking.fhir.interactions import Answer, Ask
from services.booking.fhir.reads import Kind
from services.booking.fhir.rebooked import prepare_reschedule
from services.booking.fhir.shapes import Entry
from services.booking.fhir.writing import Prepared
from shared.access import Action
from shared.refusals import Refusal
from shared.service import Running

_KINDS: dict[str, Kind] = {"Slot": "Slot", "Schedule": "Schedule", "Appointment": "Appointment"}
_ADDRESS = re.compile(r"/?(?P<kind>[A-Za-z]+)(?P<rest>(/[A-Za-z0-9.$_-]{1,64}){0,3})/?(\?(?P<query>.*))?", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Interaction:
    """What an entry asks for; `route` is for the trail, and `resource`, the id in it."""

    action: Action
    kind: Kind
    method: str
    route: str
    resource: str
    ask: Ask


@dataclass(frozen=True, slots=True)
class Read(Interaction):
    """It changes nothing."""

    read: "Reading"


@dataclass(frozen=True, slots=True)
class Write(Interaction):
    """Writes are carried out in order of `turn`: those that may free slots before those that take them."""

    prepare: "Preparing"
    turn: int


Reading = Callable[[Running, Ask], Awaitable[Answer]]
Preparing = Callable[[Desk, Ask], Awaitable[Prepared]]


def interaction_of(ask: Ask, place: int, entry: Entry) -> Read | Write:
    """The interaction that the entry's method and address name. Raises `Refusal` if there is no such one.

    An `Idempotency-Key` of the Bundle is that of each entry, in its place.
    """
    method, url = entry.request.method, entry.request.url.removeprefix(f"{ask.base}/").removeprefix(f"{BASE}/")
    found = _ADDRESS.fullmatch(url)
    kind = _KINDS.get(found["kind"]) if found else None
    if found is None or kind is None:
        raise _no_such()
    path = [part for part in found["rest"].split("/") if part]
    own = replace(
        ask,
        body=entry.resource,
        parameters=read_parameters(found["query"] or ""),
        if_match=entry.request.if_match,
        if_none_exist=entry.request.if_none_exist,
        idempotency_key=f"{ask.idempotency_key}/{place}" if ask.idempotency_key else None,
    )
    match method, path:
        case "GET", _:
            return _reading(kind, path, own)
        case (("POST" | "PUT"), _) if kind == "Appointment" and not found["query"]:
            return _writing(method, path, own)
        case _:
            raise _no_such()


def _reading(kind: Kind, path: Sequence[str], ask: Ask) -> Read:
    match path:
        case []:
            return _read("s", kind, "", path, ask, lambda service, own: reads.search(service, own, kind))
        case [id]:
            return _read("r", kind, "/{id}", path, ask, lambda service, own: reads.read(service, own, kind, id))
        case [id, "_history"]:
            rest = "/{id}/_history"
            return _read("r", kind, rest, path, ask, lambda service, own: reads.history(service, own, kind, id))
        case [id, "_history", version]:
            rest = "/{id}/_history/{version}"

            async def vread(service: Running, own: Ask) -> Answer:
                return await reads.vread(service, own, kind, id, version)

            return _read("r", kind, rest, path, ask, vread)
        case _:
            raise _no_such()


def _read(action: Action, kind: Kind, rest: str, path: Sequence[str], ask: Ask, read: Reading) -> Read:
    return Read(action, kind, "GET", f"{BASE}/{kind}{rest}", path[0] if path else "", ask, read)


def _writing(method: str, path: Sequence[str], ask: Ask) -> Write:
    here = f"{BASE}/Appointment"
    match method, path:
        case "POST", []:
            return Write("c", "Appointment", "POST", here, "", ask, prepare_create, 2)
        case "POST", ["$hold"]:
            return Write("c", "Appointment", "POST", f"{here}/$hold", "", ask, prepare_hold, 2)
        case "PUT", [id]:
            update = _about(prepare_update, id)
            return Write("u", "Appointment", "PUT", f"{here}/{{id}}", id, ask, update, 0)
        case "POST", [id, "$reschedule"]:
            move = _about(prepare_reschedule, id)
            return Write("u", "Appointment", "POST", f"{here}/{{id}}/$reschedule", id, ask, move, 1)
        case _:
            raise _no_such()


def _about(prepare: Callable[[Desk, Ask, str], Awaitable[Prepared]], id: str) -> Preparing:
    return lambda desk, ask: prepare(desk, ask, id)


def _no_such() -> Refusal:
    return Refusal("There is no such interaction here", code="no-such-interaction", where="Bundle.entry.request")
