"""A practice's diary as anyone would keep it in their head: who has which slot, and what each appointment has been."""

import asyncio
from collections.abc import Coroutine, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from typing import Any, TypeVar

from httpx import AsyncClient, Response
from hypothesis.stateful import RuleBasedStateMachine

from services.booking.fhir.resources import NHS_NUMBER
from shared.clock import in_london
from tests.booking.outage import Rebooking
from tests.booking.paper import appointment, patient
from tests.booking.surgery import FHIR, refused
from tests.harness import County
from tests.issuer import bearer
from tests.waiting import DEADLINE

T = TypeVar("T")

TEN = timedelta(minutes=10)
TO_COME = ("booked", "arrived")
_practices = count(1)


@dataclass(slots=True)
class Slot:
    """A slot, and who has it."""

    id: str
    start: datetime
    taker: str = ""
    withdrawn: bool = False


@dataclass(slots=True)
class Known:
    """An appointment or a hold: what FHIR calls its standing, how often it changed, and as it was last read."""

    id: str
    caller: str
    session: int
    slots: list[Slot]
    status: str
    read: Response
    changes: int = 1

    @property
    def version(self) -> int:
        return int(self.read.json()["meta"]["versionId"])


@dataclass(frozen=True, slots=True)
class Town:
    """The service under test, in whose loop everything is asked."""

    county: County
    http: AsyncClient
    rebooking: Rebooking
    loop: asyncio.AbstractEventLoop

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """What comes of it. For the machine, which is in a thread of its own."""
        running: Future[T] = asyncio.run_coroutine_threadsafe(work, self.loop)
        return running.result(DEADLINE)


class Notebook(RuleBasedStateMachine):
    """What is known of one practice, and how it is asked. `town` is given by the test."""

    town: Town

    def __init__(self) -> None:
        super().__init__()
        self.practice = f"M{next(_practices)}"
        self.tokens = {
            "practice": self.town.county.token(self.practice),
            "clinic": self.town.county.token("U1", "urgent-care"),
        }
        self.sessions: list[list[Slot]] = []
        self.names: list[str] = []
        self.known: dict[str, Known] = {}
        self.keys: dict[str, tuple[dict[str, Any], Response]] = {}
        self.identifiers: dict[str, str] = {}

    def pick(self, stretch: tuple[int, int, int]) -> tuple[int, list[Slot]]:
        session, first, length = stretch
        slots = self.sessions[session]
        first %= len(slots)
        return session, slots[first : first + length]

    def one(self, pick: int, *mostly: str) -> Known:
        """One of all, and three times in four one that stands so, if there is any."""
        fitting = [known for known in self.known.values() if known.status in mostly] if pick % 4 else []
        among = fitting or list(self.known.values())
        return among[pick // 4 % len(among)]

    def standing(self, slot: Slot) -> str:
        if not slot.taker:
            return "free"
        return "busy-tentative" if self.known[slot.taker].status == "pending" else "busy"

    def booking(self, slots: Sequence[Slot], who: str) -> dict[str, Any]:
        return appointment(
            who=patient(identifier=[{"system": NHS_NUMBER, "value": who}]),
            slot=[{"reference": f"Slot/{slot.id}"} for slot in slots],
            start=in_london(slots[0].start).isoformat(),
            end=in_london(slots[-1].start + TEN).isoformat(),
        )

    def taken(
        self, caller: str, session: int, slots: list[Slot], status: str, answer: Response, leaving: Known | None = None
    ) -> Known | None:
        """What was made, if the slots could be had; else it was refused for the right reason."""
        if any(slot.withdrawn for slot in slots):
            assert refused(answer) == (422, "unknown-slot"), answer.text
            return None
        if any(slot.taker and slot.taker != (leaving.id if leaving else "") for slot in slots):
            assert refused(answer) == (409, "slot-taken"), answer.text
            self.alternatives_are_free(answer)
            return None
        assert answer.status_code == 201, answer.text
        made = Known(answer.json()["id"], caller, session, slots, status, answer)
        assert (answer.json()["status"], made.id in self.known) == (status, False)
        if leaving:
            self.freed(leaving)
        for slot in slots:
            slot.taker = made.id
        self.known[made.id] = made
        return made

    def alternatives_are_free(self, answer: Response) -> None:
        free = {
            f"Slot/{slot.id}"
            for slots in self.sessions
            for slot in slots
            if self.standing(slot) == "free" and not slot.withdrawn
        }
        offered = [
            extension["valueReference"]["reference"]
            for issue in answer.json()["issue"][1:]
            for extension in issue["extension"]
        ]
        assert set(offered) <= free

    def changed(self, known: Known, answer: Response, status: str, *, may: bool, fresh: bool) -> bool:
        """Whether it changed: it does if it may and its newest version was seen, and else is refused as it stands."""
        if not (may and fresh):
            assert refused(answer)[0] in ((412,) if may else (412, 422)), answer.text
            return False
        assert (answer.status_code, answer.json()["status"]) == (200, status), answer.text
        assert int(answer.json()["meta"]["versionId"]) > known.version
        known.read, known.status = answer, status
        known.changes += 1
        return True

    def freed(self, known: Known) -> None:
        for slot in known.slots:
            if slot.taker == known.id:
                slot.taker = ""

    def displaced(self, known: Known) -> None:
        """What the withdrawal of one of its slots made of it."""
        if known.status in ("pending", *TO_COME):
            self._reread(known, "cancelled" if known.status == "pending" else "waitlist")
            self.freed(known)

    def moved_on(self, known: Known) -> None:
        self.freed(known)
        self._reread(known, "cancelled")

    def _reread(self, known: Known, status: str) -> None:
        read = self.ask("practice", "GET", f"{FHIR}/Appointment/{known.id}")
        assert (read.status_code, read.json()["status"]) == (200, status), read.text
        assert int(read.json()["meta"]["versionId"]) > known.version
        known.read, known.status = read, status
        known.changes += 1

    def added(self, session: int, answer: Response) -> None:
        for each in answer.json()["slots"]:
            self.sessions[session].append(Slot(each["slot"], datetime.fromisoformat(each["start"])))

    def ask(self, caller: str, method: str, path: str, **what: Any) -> Response:
        """The answer, which is never the service's own fault."""
        headers = {**bearer(self.tokens.get(caller, "")), **what.pop("headers", {})}
        answer = self.town.run(self.town.http.request(method, path, headers=headers, **what))
        assert answer.status_code < 500, answer.text
        return answer

    def post(self, caller: str, what: str, body: Any, headers: Mapping[str, str] | None = None) -> Response:
        return self.ask(caller, "POST", f"{FHIR}/{what}", json=body, headers=dict(headers or {}))

    def put(self, caller: str, known: Known, body: Any, fresh: bool) -> Response:
        headers = {"If-Match": known.read.headers["etag"] if fresh else 'W/"0"'}
        return self.ask(caller, "PUT", f"{FHIR}/Appointment/{known.id}", json=body, headers=headers)

    async def at_once(self, asked: Sequence[tuple[str, Any]]) -> list[Response]:
        return await asyncio.gather(
            *(
                self.town.http.post(f"{FHIR}/Appointment", json=body, headers=bearer(self.tokens[caller]))
                for caller, body in asked
            )
        )
