"""`make drill`: everything that Daybook keeps is destroyed, one thing after the other, and made again from the rest.

    python -m tests.journeys.losses --appointments 4000

Each service's database with its server and directory, then the broker's whole store; meanwhile the others work.
"""

import asyncio
import os
import shutil
import signal
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import asyncpg
import httpx
import typer

from services.operator.county import MOST_APPOINTMENTS
from services.operator.demo_loading import PRACTICES_OF_A_COUNTY
from services.operator.demo_rebuild import digests
from services.operator.settings import SERVICES
from shared.refusals import Refusal
from tests.journeys.apart import servers_apart
from tests.journeys.meanwhile import Clients, clients_of, going_on
from tests.journeys.recovery import Recovery, approve, district_of, fill, finished, plan, require_all_went_to_plan
from tests.journeys.running import Daybook, daybook_up, until

A_COUNTY = 34_000
PATIENCE = 1800.0
AGAIN = {
    "booking": ("log", "restore"),
    "rebooking": ("log", "restore", "--set-aside"),
    "notifications": ("rebuild",),
}
"""Each of these makes a lost database again; the second one takes the place of one that is merely wrong, too."""

Destroy = Callable[[str], None]
"""Destroys the database of a service, and leaves an empty place for another."""
Say = Callable[[str], None]


def losses(
    appointments: Annotated[
        int, typer.Option(min=200, max=MOST_APPOINTMENTS, help="Appointments on the lost Friday.")
    ] = A_COUNTY,
) -> None:
    """Live through a county's lost day, then lose everything in turn; exit code 0 if nothing was lost or sent by it."""
    practices = max(3, min(PRACTICES_OF_A_COUNTY, appointments * PRACTICES_OF_A_COUNTY // A_COUNTY))
    with tempfile.TemporaryDirectory() as directory:
        root = Path(directory)
        root.chmod(0o755)
        with servers_apart(root / "postgres") as apart:
            told = {**apart.settings(), "NOTIFICATIONS_RATE": "1000", "DAYBOOK_MADE_UP_NUMBERS": "true"}
            with daybook_up(root / "home", **told) as daybook:
                began = time.monotonic()
                district = district_of(practices, appointments)
                fill(daybook, district, within=PATIENCE)
                typer.echo(f"{practices} practices filled: {time.monotonic() - began:.1f} s")
                recovery = lived_through(daybook, plan(daybook, district, within=PATIENCE), typer.echo)
                Drill(daybook, recovery, clients_of(daybook, recovery, district.codes[-1]), typer.echo).run(
                    apart.destroy
                )
    typer.echo("Everything was destroyed once and is what it was; nobody was sent anything by it.")


def lived_through(daybook: Daybook, recovery: Recovery, say: Say) -> Recovery:
    """Every move is made, and everybody has been told."""
    began = time.monotonic()
    approve(daybook, recovery)
    finished(daybook, recovery, within=PATIENCE)
    say(f"{recovery.placed:,} moved and told: {time.monotonic() - began:.1f} s")
    return recovery


@dataclass(frozen=True, slots=True)
class Drill:
    """What is lost, in turn, of a county that has been through its day."""

    daybook: Daybook
    recovery: Recovery
    clients: Clients
    say: Say

    def run(self, destroy: Destroy) -> None:
        """All of it. Raises `AssertionError` as soon as anything is not what it was."""
        sent = self._texts()
        for service in SERVICES:
            self.lose_database(service, destroy)
            self._require_texts(sent)
        self.lose_stream()
        self.prove()
        self._require_texts(sent)
        require_all_went_to_plan(self.daybook, self.recovery)
        self.say(f"{self.clients.rounds:,} rounds of clients, {self.clients.booked:,} booked, none refused")

    def lose_database(self, service: str, destroy: Destroy) -> None:
        """Destroyed and restored while the others work: every table is what it was, but for what clients did."""
        others = [other for other in SERVICES if other != service]
        with going_on(self.clients, others):
            before = self._tables(service)
            destroy(service)
            self._tell(f"{service} restored", self._done(*AGAIN[service], service))
        self.daybook.at_rest(within=PATIENCE)
        after = self._tables(service)
        different = {table: (before.get(table), after.get(table)) for table in {*before, *after}}
        assert not {name: each for name, each in different.items() if each[0] != each[1]}

    def lose_stream(self) -> None:
        """The broker is killed and its whole store removed: booking goes on alone until the stream is there again."""
        with going_on(self.clients, SERVICES):
            self._destroy_store()
            until("every service has noticed", lambda: all("daybook log republish" in each for each in self._halts()))
            ready = httpx.get(f"{self.daybook.settings.urls['booking']}/readyz", trust_env=False)
            assert (ready.status_code, "ready, without its stream" in ready.text) == (200, True)
            made = self._done("log", "republish", "--yes")
            until("every service goes on", lambda: not any(self._halts()), within=PATIENCE)
        self._tell("stream republished", made | {"events": made["added"]})
        self.daybook.at_rest(within=PATIENCE)

    def prove(self) -> None:
        """Both copies are equal, and all tables are what the log makes them."""
        verified = self._done("log", "verify")
        assert verified["equal"], verified
        self._tell("both copies equal", verified)
        for service in SERVICES:
            proved = self._done("rebuild", service, "--verify")
            assert proved["equal"], proved
            self._tell(f"{service} rebuilt, {len(proved['tables'])} tables equal", proved)

    def _destroy_store(self) -> None:
        os.kill(self.daybook.pids()["nats"], signal.SIGKILL)
        self.daybook.control("stop", "nats")
        shutil.rmtree(self.daybook.settings.home.root / "nats")
        self.daybook.control("start", "nats")

    def _done(self, *words: str) -> Any:
        return self.daybook.facts(*words)

    def _tables(self, service: str) -> Mapping[str, str]:
        """The digest of every table, without the rows of those who go on."""

        async def read() -> Mapping[str, str]:
            connection = await asyncpg.connect(self.daybook.settings.database_url(service))
            try:
                return await digests(connection, self.clients.touched)
            finally:
                await connection.close()

        return asyncio.run(read())

    def _texts(self) -> int:
        return int(self._figures()["accepted"])

    def _require_texts(self, sent: int) -> None:
        """All there ever were, and one for each patient who answered meanwhile."""
        due = sent + self.clients.answers
        until("every answer is confirmed", lambda: self._texts() >= due, within=PATIENCE)
        assert (self._texts(), self._figures()["duplicated"]) == (due, 0)

    def _figures(self) -> Mapping[str, Any]:
        figures: dict[str, Any] = self.daybook.ask("sandbox", "GET", "/sandbox/figures")
        return figures

    def _halts(self) -> list[str]:
        """Why each service has halted; empty if it has not."""
        try:
            return [str(self.daybook.ask(service, "GET", "/v1/status")["halted"]) for service in SERVICES]
        except Refusal as refusal:
            return [str(refusal)]

    def _tell(self, what: str, done: Mapping[str, Any]) -> None:
        events, seconds = done["events"], done["seconds"]
        self.say(f"{what}: {events:,} events in {seconds:.1f} s, {events / max(seconds, 1e-6):,.0f}/s")


if __name__ == "__main__":
    typer.run(losses)
