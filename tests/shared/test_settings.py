"""A service that is told too little, or nonsense, says which variable is at fault, and never a secret's value."""

from datetime import timedelta

import pytest

from shared.refusals import Refusal
from tests.harness import MASTER_KEY
from tests.shared.toys.practices import Settings

GIVEN = {
    "DAYBOOK_DATABASE_URL": "postgresql://daybook:pw@db.example:5432/postgres",
    "DAYBOOK_NATS_URL": "nats://booking:pw@nats.example:4222",
    "DAYBOOK_MASTER_KEY": MASTER_KEY,
    "DAYBOOK_TOKEN_KEYS": "https://issuer.example/jwks.json",
}


def test_the_server_is_shared_and_the_database_is_the_services_own() -> None:
    settings = Settings.from_environment(GIVEN)

    assert settings.database_url == "postgresql://daybook:pw@db.example:5432/booking"
    assert settings.port == 8001


def test_a_services_own_variable_goes_before_the_common_one() -> None:
    own = {"BOOKING_DATABASE_URL": "postgresql://b@elsewhere/diary", "BOOKING_PORT_BASE": "9000"}

    settings = Settings.from_environment(GIVEN | own)

    assert (settings.database_url, settings.port) == ("postgresql://b@elsewhere/diary", 9001)


def test_the_folder_for_snapshots_is_shared_and_each_services_part_of_it_is_its_own() -> None:
    common = Settings.from_environment(GIVEN | {"DAYBOOK_SNAPSHOTS": "/var/daybook"})
    own = Settings.from_environment(GIVEN | {"DAYBOOK_SNAPSHOTS": "/var/daybook", "BOOKING_SNAPSHOTS": "/elsewhere"})

    assert Settings.from_environment(GIVEN).snapshots is None
    assert [str(settings.snapshots) for settings in (common, own)] == ["/var/daybook/booking", "/elsewhere"]


def test_a_pretended_start_without_offset_is_london_time() -> None:
    start = Settings.from_environment(GIVEN | {"DAYBOOK_NOW": "2024-07-22T08:05:00"}).start_instant()

    assert start is not None
    assert start.utcoffset() == timedelta(hours=1)


def test_every_missing_variable_is_named() -> None:
    with pytest.raises(Refusal) as refused:
        Settings.from_environment({"DAYBOOK_DATABASE_URL": GIVEN["DAYBOOK_DATABASE_URL"]})

    for name in ("NATS_URL", "MASTER_KEY", "TOKEN_KEYS"):
        assert f"BOOKING_{name}: Field required" in refused.value.message


def test_a_value_that_makes_no_sense_is_named_and_not_repeated() -> None:
    with pytest.raises(Refusal, match="BOOKING_PORT_BASE") as refused:
        Settings.from_environment(GIVEN | {"BOOKING_PORT_BASE": "eight thousand"})

    assert "eight thousand" not in refused.value.message
