"""Booking under whatever is asked of it, in whatever order: its promises hold, and its tables are what its log says."""

import asyncio

from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from services.booking.app import BLUEPRINT, create
from shared.broker import connect
from shared.rebuild import rebuild
from tests.booking.machine import NOW, Machine
from tests.booking.notebook import Town
from tests.booking.outage import Rebooking
from tests.harness import County

QUICK = settings(
    max_examples=40,
    stateful_step_count=30,
    derandomize=True,
    deadline=None,
    # To shrink takes minutes, and the steps that failed can be read as they are.
    phases=[Phase.generate],
    report_multiple_bugs=False,
    suppress_health_check=list(HealthCheck),
)


async def test_booking_keeps_its_promises_whatever_is_asked(county: County) -> None:
    county.clock_at(NOW)
    async with county.client(create) as http:
        town = Town(county, http, Rebooking(county), asyncio.get_running_loop())
        machine = type("Machine", (Machine,), {"town": town})

        await asyncio.to_thread(run_state_machine_as_test, machine, settings=QUICK)

        figures = (await http.get("/v1/figures")).json()
        assert figures["double_booked"] == 0
        (booking,) = county.at_work
        client = await connect(booking.settings.nats_url, "booking")
        try:
            again = await rebuild(BLUEPRINT, booking.engine, client, verify_only=True, tell=lambda *_: None)
        finally:
            await client.close()
        assert again.equal, again.tables
