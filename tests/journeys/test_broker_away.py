"""The broker may be away: booking goes on, and the others catch up when it is back."""

from shared.events.booking import AppointmentBooked
from tests.journeys.clients import book, free_slots, system_of
from tests.journeys.recovery import District, fill, log_of
from tests.journeys.running import Daybook


def test_without_the_broker_booking_goes_on_and_the_others_catch_up_later(daybook: Daybook, district: District) -> None:
    fill(daybook, district)
    practice = district.codes[0]
    system = system_of(daybook, practice)
    slot, *_ = free_slots(daybook, practice, system, "2024-07-30", "2024-08-02")

    daybook.control("stop", "nats")
    try:
        booked = book(daybook, slot, system)
        status = daybook.ask("booking", "GET", "/v1/status")
        assert status["broker"] == "down"
        assert status["relayed"] == status["position"] - 1
        assert daybook.ask("rebooking", "GET", "/v1/status")["followed"]["booking"] == status["relayed"]
        assert "up, without the broker" in daybook.command("status").stdout
    finally:
        daybook.control("start", "nats")

    daybook.at_rest()
    for follower in ("rebooking", "notifications"):
        assert daybook.ask(follower, "GET", "/v1/status")["followed"]["booking"] == status["position"]
    events = [recorded.event for recorded in log_of(daybook.settings)]
    assert len([each for each in events if isinstance(each, AppointmentBooked) and each.appointment == booked]) == 1
