"""Eight o'clock: many clients at once over real HTTP, for one slot, with one request, and while booking is killed."""

import asyncio
import os
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from httpx import AsyncClient, Limits, Response, Timeout, TransportError

from services.booking.app import BLUEPRINT, Settings, create
from services.operator.embedded import free_ports
from shared.clock import clock_starting_at
from shared.settings import PORTS
from tests.booking.paper import CSV, PRACTICES, appointment, diary_file, row
from tests.booking.surgery import NOON, refused
from tests.harness import MASTER_KEY, County
from tests.issuer import bearer
from tests.journeys.running import ROOT
from tests.serving import HOST, served
from tests.waiting import DEADLINE

CROWD, CLIENTS, SLOTS = 64, 500, 200
KILLED_AFTER = (40, 120)
"""Bookings that have been answered when booking is killed, and killed again."""


async def test_of_64_clients_racing_for_one_slot_one_gets_it(county: County) -> None:
    async with quiet_practice(county) as (http, (slot, *_)):

        async def client(number: int) -> Response:
            headers = bearer(county.token("A1", client=f"client {number}"))
            return await http.post("/fhir/R4/Appointment", json=slot, headers=headers)

        answers = await asyncio.gather(*map(client, range(CROWD)))
        figures = (await http.get("/v1/figures")).json()

    lost = [answer for answer in answers if answer.status_code != 201]
    assert Counter(refused(answer) for answer in lost) == {(409, "slot-taken"): CROWD - 1}
    assert figures["double_booked"] == 0


async def test_of_64_identical_conditional_creates_one_creates(county: County) -> None:
    async with quiet_practice(county) as (http, (slot, *_)):
        headers = {**bearer(county.token("A1")), "If-None-Exist": "identifier=urn:practice|7"}
        body = slot | {"identifier": [{"system": "urn:practice", "value": "7"}]}

        answers = await asyncio.gather(
            *(http.post("/fhir/R4/Appointment", json=body, headers=headers) for _ in range(CROWD))
        )

    assert Counter(answer.status_code for answer in answers) == {201: 1, 200: CROWD - 1}
    (made,) = (answer for answer in answers if answer.status_code == 201)
    assert all(answer.json() == made.json() for answer in answers)


async def test_500_clients_book_200_slots_while_booking_is_killed_and_started_again(
    county: County, tmp_path: Path
) -> None:
    booking = Booking(await environment(county), tmp_path / "booking.log")
    await booking.start()
    try:
        async with crowd(booking.address, county) as http:
            slots = await fill(http, SLOTS)
            rush = Rush(http, county, slots)
            killing = asyncio.create_task(kill(booking, rush))
            async with asyncio.timeout(2 * DEADLINE):
                ended = await asyncio.gather(*map(rush.client, range(CLIENTS)))
                await killing
        async with crowd(booking.address, county) as http:
            figures = (await http.get("/v1/figures")).json()
            read = await asyncio.gather(
                *(http.get(f"/fhir/R4/Appointment/{answer.json()['id']}") for answer in ended if answer.is_success)
            )
    finally:
        await booking.stop()

    got, lost = [each for each in ended if each.is_success], [each for each in ended if not each.is_success]
    assert Counter(refused(answer) for answer in lost) == {(409, "slot-taken"): CLIENTS - SLOTS}
    assert [each.json() for each in read] == [each.json() for each in got]
    assert len({answer.json()["id"] for answer in got}) == SLOTS
    assert (figures["appointments"], figures["double_booked"]) == ({"booked": SLOTS}, 0)
    assert rush.cut_off > 0, "nobody was asking when booking was killed"


@asynccontextmanager
async def quiet_practice(county: County) -> AsyncIterator[tuple[AsyncClient, list[dict[str, Any]]]]:
    """Booking on a port of its own, and a request for the slot that its practice has."""
    county.clock_at(NOON)
    async with (
        served(create(await county.settings(BLUEPRINT, Settings))) as address,
        crowd(address, county) as http,
    ):
        yield http, await fill(http, 1)


@asynccontextmanager
async def crowd(address: str, county: County) -> AsyncIterator[AsyncClient]:
    """Hundreds of connections. Whoever sends no token of their own is an operator."""
    async with AsyncClient(
        base_url=address,
        headers=bearer(county.operator_token()),
        limits=Limits(max_connections=CLIENTS),
        timeout=Timeout(DEADLINE, pool=None),
    ) as http:
        yield http


async def fill(http: AsyncClient, slots: int) -> list[dict[str, Any]]:
    """So many free slots at practice A1, as requests to book them."""
    rows = [
        row(
            clinician=f"Dr {number // 40}",
            start=f"{NOON + timedelta(days=3, hours=-4, minutes=10 * (number % 40)):%Y-%m-%dT%H:%M}",
        )
        for number in range(slots)
    ]
    assert (await http.post("/v1/practices", content=PRACTICES, headers=CSV)).is_success
    assert (await http.post("/v1/diary", content=diary_file(*rows), headers=CSV)).is_success
    week = {"start": "ge2024-07-22", "end": "le2024-07-22", "status": "free", "_count": str(slots)}
    found = (await http.get("/fhir/R4/Slot", params=week)).json()["entry"]
    assert len(found) == slots
    return [
        appointment(each["resource"]["id"], start=each["resource"]["start"], end=each["resource"]["end"])
        for each in found
    ]


@dataclass(slots=True)
class Rush:
    """Clients who each want one of the slots. `booked` counts what was answered, `cut_off` what never was."""

    http: AsyncClient
    county: County
    wanted: list[dict[str, Any]]
    booked: int = 0
    cut_off: int = 0

    async def client(self, number: int) -> Response:
        """The last word: a 201, or a 409. Whoever hears nothing asks the same again, under the same key."""
        headers = {**bearer(self.county.token("A1", client=f"client {number}")), "Idempotency-Key": "my booking"}
        body = self.wanted[number % len(self.wanted)]
        while True:
            try:
                answer = await self.http.post("/fhir/R4/Appointment", json=body, headers=headers)
            except TransportError:
                self.cut_off += 1
                await asyncio.sleep(0.1)
                continue
            if answer.status_code == 503:
                await asyncio.sleep(0.1)
                continue
            self.booked += answer.is_success
            return answer


async def kill(booking: "Booking", rush: Rush) -> None:
    """Twice in the middle of the rush."""
    for bookings in KILLED_AFTER:
        while rush.booked < bookings:  # noqa: ASYNC110 (what is counted has no event)
            await asyncio.sleep(0.002)
        await booking.kill()
        await booking.start()


async def environment(county: County) -> Callable[[], Mapping[str, str]]:
    """What a process of booking is told. Its clock goes on where the one before was killed."""
    settings = await county.settings(BLUEPRINT, Settings)
    clock, (port,) = clock_starting_at(NOON), free_ports(1)
    return lambda: {
        **{name: value for name, value in os.environ.items() if not name.startswith(("DAYBOOK_", "BOOKING_"))},
        "BOOKING_DATABASE_URL": settings.database_url,
        "BOOKING_NATS_URL": settings.nats_url,
        "BOOKING_MASTER_KEY": MASTER_KEY,
        "BOOKING_TOKEN_KEYS": settings.token_keys,
        "BOOKING_MADE_UP_NUMBERS": "true",
        "BOOKING_NOW": clock.now().isoformat(),
        "BOOKING_PORT_BASE": str(port - PORTS["booking"]),
    }


@dataclass(slots=True)
class Booking:
    """The booking service in a process of its own."""

    environment: Callable[[], Mapping[str, str]]
    log: Path
    process: asyncio.subprocess.Process | None = None

    @property
    def address(self) -> str:
        return f"http://{HOST}:{int(self.environment()['BOOKING_PORT_BASE']) + PORTS['booking']}"

    async def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "services.booking", "serve"),
                cwd=ROOT,
                env=self.environment(),
                stdout=log,
                stderr=log,
            )
        async with asyncio.timeout(DEADLINE), AsyncClient(base_url=self.address) as http:
            while not await self._is_ready(http):
                assert self.process.returncode is None, self.log.read_text()
                await asyncio.sleep(0.05)

    async def kill(self) -> None:
        """As a power cut does: nothing is finished, nobody is told."""
        assert self.process is not None
        self.process.kill()
        await self.process.wait()

    async def stop(self) -> None:
        assert self.process is not None
        if self.process.returncode is None:
            self.process.terminate()
            await self.process.wait()

    async def _is_ready(self, http: AsyncClient) -> bool:
        try:
            return (await http.get("/readyz")).is_success
        except TransportError:
            return False
