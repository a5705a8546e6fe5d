"""The broker's whole store may be destroyed: the stream is made again from the databases, and everything goes on."""

import shutil

import httpx

from services.operator.settings import SERVICES
from shared.refusals import Refusal
from tests.journeys.clients import book, free_slots, system_of
from tests.journeys.recovery import District, approve, fill, finished, plan, require_all_went_to_plan, texts
from tests.journeys.running import Daybook, until


def test_with_the_brokers_store_destroyed_booking_goes_on_and_the_stream_is_made_again(
    daybook: Daybook, district: District
) -> None:
    fill(daybook, district)
    recovery = plan(daybook, district)
    approve(daybook, recovery)
    finished(daybook, recovery)
    told = texts(daybook, recovery)
    before = daybook.facts("log", "verify")["services"]
    practice = district.codes[0]
    system = system_of(daybook, practice)
    slot, *_ = free_slots(daybook, practice, system, "2024-07-30", "2024-08-02")

    daybook.control("stop", "nats")
    shutil.rmtree(daybook.settings.home.root / "nats")
    daybook.control("start", "nats")
    until("every service has noticed", lambda: all("daybook log republish" in each for each in halts(daybook)))
    book(daybook, slot, system)
    ready = httpx.get(f"{daybook.settings.urls['booking']}/readyz", trust_env=False)
    assert (ready.status_code, "ready, without its stream" in ready.text) == (200, True)
    done = daybook.command("log", "republish", "--yes")
    assert done.returncode == 0, done.stderr
    until("every service goes on", lambda: not any(halts(daybook)))
    daybook.at_rest()

    after = daybook.facts("log", "verify")["services"]
    assert after["booking"]["equal"] == before["booking"]["equal"] + 1
    assert after["notifications"] == before["notifications"]
    assert texts(daybook, recovery) == told
    for service in SERVICES:
        assert daybook.facts("rebuild", service, "--verify")["equal"]
    require_all_went_to_plan(daybook, recovery)


def halts(daybook: Daybook) -> list[str]:
    """Why each service has halted; empty if it has not."""
    try:
        return [str(daybook.ask(service, "GET", "/v1/status")["halted"]) for service in SERVICES]
    except Refusal as refusal:
        return [str(refusal)]
