"""What the operator is told, what it makes up, and what it hands on."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from services.operator.machine import Machine
from services.operator.settings import SERVICES, OperatorSettings, operator_settings
from shared.clock import clock_starting_at
from shared.refusals import Refusal


def settings_with(home: Path, **given: str) -> OperatorSettings:
    return operator_settings({"DAYBOOK_HOME": str(home), **given})


def test_everything_has_a_place_when_nothing_was_said(tmp_path: Path) -> None:
    settings = settings_with(tmp_path)
    assert settings.urls == {
        "operator": "http://127.0.0.1:8000",
        "booking": "http://127.0.0.1:8001",
        "rebooking": "http://127.0.0.1:8002",
        "notifications": "http://127.0.0.1:8003",
        "sandbox": "http://127.0.0.1:8004",
    }
    assert settings.database_url("booking").endswith("@127.0.0.1:8032/booking")
    assert settings.broker_url("booking").endswith("@127.0.0.1:8022")


def test_servers_of_ones_own_are_used_instead_of_ours(tmp_path: Path) -> None:
    settings = settings_with(
        tmp_path,
        DAYBOOK_DATABASE_URL="postgresql://me:secret@db:5432",
        DAYBOOK_NATS_URL="nats://all:secret@broker:4222",
        OPERATOR_NATS_URL="nats://operator:secret@broker:4222",
    )
    assert settings.database_url("booking") == "postgresql://me:secret@db:5432/booking"
    assert settings.broker_url("booking") == "nats://all:secret@broker:4222"
    assert settings.broker_url() == "nats://operator:secret@broker:4222"
    assert Machine(settings, clock_starting_at(None)).servers() == []


def test_a_server_for_each_service_is_used_instead_of_ours_and_no_other_is_started(tmp_path: Path) -> None:
    apart = {f"{service.upper()}_DATABASE_URL": f"postgresql://me@{service}-db/diary" for service in SERVICES}
    settings = settings_with(tmp_path, **apart)
    machine = Machine(settings, clock_starting_at(None))
    assert settings.database_url("rebooking") == "postgresql://me@rebooking-db/diary"
    assert "postgres" not in machine.ports()
    assert settings_with(tmp_path, BOOKING_DATABASE_URL="postgresql://me@booking-db/diary").own_database_server


@pytest.mark.parametrize(
    ("name", "value", "complaint"),
    [
        ("DAYBOOK_PORT_BASE", "eighty", "DAYBOOK_PORT_BASE is “eighty”"),
        ("DAYBOOK_PORT_BASE", "80", "between 1024 and 65000"),
        ("DAYBOOK_NOW", "yesterday", "DAYBOOK_NOW: “yesterday” is not a date and time"),
    ],
)
def test_a_setting_that_makes_no_sense_is_refused_by_name(
    tmp_path: Path, name: str, value: str, complaint: str
) -> None:
    with pytest.raises(Refusal, match=complaint):
        settings_with(tmp_path, **{name: value})


def test_each_start_is_told_the_pretended_time_of_that_moment(tmp_path: Path) -> None:
    settings = settings_with(tmp_path, DAYBOOK_NOW="2024-07-19T06:00")
    machine = Machine(settings, clock_starting_at(settings.now))
    first, second = (datetime.fromisoformat(machine.environment()["DAYBOOK_NOW"]) for _ in range(2))
    assert timedelta() < second - first < timedelta(seconds=5)
    assert datetime(2024, 7, 19, 5, tzinfo=UTC) <= first


def test_what_was_said_goes_before_what_is_made_up_and_all_of_it_is_handed_on(tmp_path: Path) -> None:
    settings = settings_with(tmp_path, DAYBOOK_MASTER_KEY="mine", NOTIFICATIONS_RATE="500")
    told = Machine(settings, clock_starting_at(None)).environment()
    assert (told["DAYBOOK_MASTER_KEY"], told["NOTIFICATIONS_RATE"]) == ("mine", "500")
    assert told["DAYBOOK_MADE_UP_NUMBERS"] == "true"
    assert told["DAYBOOK_HOME"] == str(tmp_path)


def test_made_up_numbers_are_for_our_own_database_alone(tmp_path: Path) -> None:
    settings = settings_with(tmp_path, DAYBOOK_DATABASE_URL="postgresql://db")
    assert Machine(settings, clock_starting_at(None)).environment()["DAYBOOK_MADE_UP_NUMBERS"] == "false"


def test_no_secret_shows_when_settings_are_printed(tmp_path: Path) -> None:
    shown = repr(settings_with(tmp_path, DAYBOOK_DATABASE_URL="postgresql://me:secret@db"))
    assert "secret@" not in shown
