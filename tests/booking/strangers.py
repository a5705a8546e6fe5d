"""Two practices, and all that the one can see of an answer about the other's things: what it says, and what it took."""

from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from itertools import count
from typing import Any
from urllib.parse import quote

from httpx import Response
from sqlalchemy import event, select
from sqlalchemy.ext.asyncio import AsyncEngine

from services.booking.fhir.resources import NHS_NUMBER
from shared.audit import accesses
from shared.ids import derived_id
from shared.service import Running
from tests.booking.paper import patient, reason, row
from tests.booking.probes import Names, Probe, parameters
from tests.booking.surgery import Name, Surgery, surgery
from tests.harness import County

ODS_CODES = {"practice": "A1", "other": "B2"}
_TIMES = ("09:00", "09:10", "09:20", "09:30", "09:40")

_asked: ContextVar[Counter[str] | None] = ContextVar("asked", default=None)
_numbers = count(1)


@dataclass(frozen=True, slots=True)
class World:
    """Practice A1, which asks, and B2, which has a slot of every kind and an appointment of every standing."""

    desk: Surgery
    booking: Running
    mine: Names
    slots: dict[str, Names]
    appointments: dict[str, Names]

    @property
    def theirs(self) -> Names:
        """B2's things."""
        return self.appointments["booked"]

    def nobodys(self) -> Names:
        """Names like B2's, of things that are not there."""
        number = str(next(_numbers))
        return Names(
            slot=derived_id("nobody's slot", number),
            session=derived_id("nobody's session", number),
            appointment=derived_id("nobody's appointment", number),
            practice="Z9",
            nhs_number="9990000042",
            identifier="urn:b|8",
            own=self.mine,
        )

    async def answers(self, probe: Probe, names: Names) -> Response:
        """What A1 is answered."""
        ask = probe(names)
        send = {"headers": {}, **ask.send}
        send["headers"] = {"Accept-Encoding": "identity", **send["headers"]}
        return await self.desk.ask("practice", ask.method, f"{self.desk.http.base_url}{ask.path}", **send)

    async def differences(self, probes: Sequence[Probe], theirs: Names) -> list[str]:
        """By what A1 can tell B2's things from nobody's."""
        found = []
        for place, probe in enumerate(probes):
            seen = await self._seen(probe, theirs)
            missed = await self._seen(probe, replace(self.nobodys(), etag=theirs.etag))
            route = f"probe {place}, {probe(theirs).route}"
            found += [f"{route}: {a} and {b}" for a, b in zip(seen, missed, strict=True) if a != b]
        return found

    async def _seen(self, probe: Probe, names: Names) -> list[Any]:
        """Status, headers, body, the line of the trail that A1 can read, and the statements."""
        with _asking() as statements:
            answer = await self.answers(probe, names)
        headers = {name: value for name, value in answer.headers.items() if name != "x-request-id"}
        line = await self._line(answer.headers["x-request-id"])
        return [answer.status_code, headers, _anonymous(answer.text, names), _anonymous(line, names), statements]

    async def _line(self, request: str) -> str:
        query = select(accesses.c.route, accesses.c.resource, accesses.c.practice, accesses.c.refusal)
        async with self.booking.engine.connect() as connection:
            return str(sorted(map(tuple, await connection.execute(query.where(accesses.c.request == request)))))


@asynccontextmanager
async def world(county: County) -> AsyncIterator[World]:
    """Both practices, with their diaries."""
    async with surgery(county) as desk:
        (booking,) = county.at_work
        with _watching(booking.engine):
            await desk.import_diary(
                *(row(start=f"2024-07-22T{time}", practice="B2") for time in _TIMES),
                *(row(start=f"2024-07-22T{time}") for time in _TIMES[:2]),
                row(start="2024-07-23T09:00"),
            )
            yield await _peopled(desk, booking)


async def _peopled(desk: Surgery, booking: Running) -> World:
    slots = await desk.slots("practice", end="le2024-07-22")
    booked = await _booked(desk, "practice", slots[1], "9990000018", "urn:a|7")
    mine = _names("practice", slots[0], booked, "9990000018", "urn:a|7")
    kinds = ("booked", "held", "cancelled", "withdrawn", "free")
    theirs = dict(zip(kinds, await desk.slots("other", practice="B2"), strict=True))
    known = {
        "booked": await _booked(desk, "other", theirs["booked"], "9990000026", "urn:b|7"),
        "held": await desk.ask("other", "POST", "Appointment/$hold", json=parameters(theirs["held"]["id"])),
        "cancelled": await _booked(desk, "other", theirs["cancelled"], "9990000069", "urn:b|9"),
    }
    called_off = {"status": "cancelled", "cancelationReason": reason()}
    known["cancelled"] = await desk.put(known["cancelled"], called_off, "other")
    withdrawn = {"slots": [theirs["withdrawn"]["id"]], "reason": "Ill"}
    session = theirs["withdrawn"]["schedule"]["reference"].partition("/")[2]
    await desk.http.post(f"/v1/sessions/{session}/withdrawal", json=withdrawn)
    about = {kind: _names("other", slot, known.get(kind, known["booked"]), own=mine) for kind, slot in theirs.items()}
    return World(desk, booking, mine, about, {standing: about[standing] for standing in known})


async def _booked(desk: Surgery, caller: Name, slot: dict[str, Any], nhs_number: str, identifier: str) -> Response:
    system, _, value = identifier.partition("|")
    answer = await desk.book(
        slot["id"],
        caller,
        who=patient(identifier=[{"system": NHS_NUMBER, "value": nhs_number}]),
        identifier=[{"system": system, "value": value}],
        start=slot["start"],
        end=slot["end"],
    )
    assert answer.status_code == 201, answer.text
    return answer


def _names(
    caller: Name,
    slot: dict[str, Any],
    known: Response,
    nhs_number: str = "9990000026",
    identifier: str = "urn:b|7",
    own: Names | None = None,
) -> Names:
    assert known.is_success, known.text
    return Names(
        slot=slot["id"],
        session=slot["schedule"]["reference"].partition("/")[2],
        appointment=known.json()["id"],
        practice=ODS_CODES[caller],
        nhs_number=nhs_number,
        identifier=identifier,
        etag=known.headers["etag"],
        own=own,
    )


def _anonymous(text: str, names: Names) -> str:
    """The text without the names that were sent."""
    said = (names.slot, names.session, names.appointment, names.nhs_number, names.identifier, names.practice)
    for name in (*said, quote(names.identifier, safe="")):
        text = text.replace(name, "…")
    return text


@contextmanager
def _asking() -> Iterator[Counter[str]]:
    """The statements that the database is asked on account of what is done in this block."""
    statements: Counter[str] = Counter()
    token = _asked.set(statements)
    try:
        yield statements
    finally:
        _asked.reset(token)


@contextmanager
def _watching(engine: AsyncEngine) -> Iterator[None]:
    """Every statement of this engine is noted: those that SQLAlchemy sends, and those that the driver is given."""

    def note(statement: str) -> None:
        # “;” is how the pool asks whether a connection still lives.
        if (statements := _asked.get()) is not None and statement != ";":
            statements[statement] += 1

    def sent(_: Any, __: Any, statement: str, *___: Any) -> None:
        note(statement)

    def given(record: Any) -> None:
        note(record.query)

    def checked_out(connection: Any, *_: Any) -> None:
        connection.driver_connection.add_query_logger(given)

    event.listen(engine.sync_engine, "before_cursor_execute", sent)
    event.listen(engine.sync_engine, "checkout", checked_out)
    try:
        yield
    finally:
        event.remove(engine.sync_engine, "before_cursor_execute", sent)
        event.remove(engine.sync_engine, "checkout", checked_out)
