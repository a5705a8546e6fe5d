"""Those who go on while a part of Daybook is lost and made again: a practice's system, the desks, and patients."""

import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from services.operator.bearer import PracticeBearer
from shared.refusals import Refusal
from tests.journeys.clients import book, free_slots, system_of
from tests.journeys.recovery import Recovery
from tests.journeys.running import Daybook

EVERY = 2.0
"""Seconds between two rounds."""
NOTHING = "nothing at all"


@dataclass(slots=True)
class Clients:
    """What they ask of the services that are at work, round after round, and what came of it."""

    daybook: Daybook
    recovery: Recovery
    practice: str
    system: PracticeBearer
    slots: list[dict[str, Any]]
    at_work: Collection[str] = ()
    rounds: int = 0
    booked: int = 0
    answers: int = 0
    refused: list[str] = field(default_factory=list)

    @property
    def touched(self) -> str:
        """What every row names that they have changed."""
        return self.practice if "booking" in self.at_work else NOTHING

    def go_round(self) -> None:
        """Book and read, wherever somebody is at work. While booking is not, a patient keeps the new time instead."""
        for service, path in self._lists():
            self.daybook.ask(service, "GET", path)
        if "booking" not in self.at_work:
            kept = self.daybook.ask("sandbox", "POST", "/sandbox/answers", json={"keep": 1})
            self.answers += kept["keep"]
        elif self.slots:
            booked = book(self.daybook, self.slots.pop(0), self.system)
            self.daybook.ask("booking", "GET", f"/fhir/R4/Appointment/{booked}", auth=self.system)
            self.booked += 1
        self.rounds += 1

    def _lists(self) -> Iterator[tuple[str, str]]:
        outage = f"/v1/outages/{self.recovery.outage}"
        if "rebooking" in self.at_work:
            yield "rebooking", f"{outage}/progress"
        if "notifications" in self.at_work:
            yield from (("notifications", path) for path in (f"{outage}/messages", "/v1/unknown", "/v1/replies"))


def clients_of(daybook: Daybook, recovery: Recovery, practice: str) -> Clients:
    """They book at this practice, whatever is still free there."""
    system = system_of(daybook, practice)
    slots = free_slots(daybook, practice, system, "2024-07-30", "2024-08-02")
    return Clients(daybook, recovery, practice, system, slots)


@contextmanager
def going_on(clients: Clients, at_work: Collection[str]) -> Iterator[None]:
    """They ask these services all the while, which never say no; in the end they have come round at least once."""
    clients.at_work, begun, over = at_work, clients.rounds, threading.Event()

    def go_on() -> None:
        while not over.is_set() or clients.rounds == begun:
            try:
                clients.go_round()
            except Refusal as refusal:
                clients.refused.append(str(refusal))
                return
            over.wait(EVERY)

    thread = threading.Thread(target=go_on, name="clients")
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
    assert not clients.refused, f"{', '.join(at_work)} at work: {clients.refused}"
