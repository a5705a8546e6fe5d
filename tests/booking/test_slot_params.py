"""The parameters of a Slot search: stretches of time, statuses, pages, and how nonsense is told from them."""

from datetime import UTC, datetime, timedelta

import pytest

from services.booking.slot_params import Asked, read_parameters
from shared.refusals import Refusal

NOW = datetime(2024, 7, 19, 11, 0, tzinfo=UTC)
FROM, TO = ("start", "ge2024-07-22"), ("end", "le2024-07-26")


def asked(*sent: tuple[str, str]) -> Asked:
    return read_parameters(sent, "public", NOW)


def refusal(*sent: tuple[str, str]) -> tuple[str, str]:
    with pytest.raises(Refusal) as refused:
        asked(*sent)
    return refused.value.code, refused.value.where


def test_a_whole_date_is_a_day_in_london() -> None:
    search = asked(FROM, TO).search
    assert search.start == datetime(2024, 7, 21, 23, 0, tzinfo=UTC)
    assert search.end == datetime(2024, 7, 26, 23, 0, tzinfo=UTC)


def test_a_time_has_its_offset_even_if_the_plus_was_not_escaped() -> None:
    nine = datetime(2024, 7, 22, 8, 0, tzinfo=UTC)
    for text in ("2024-07-22T09:00:00+01:00", "2024-07-22T09:00:00 01:00", "2024-07-22T08:00:00Z"):
        assert asked(("start", f"ge{text}"), TO).search.start == nine


def test_the_upper_bound_may_be_a_start_as_bars_writes_it() -> None:
    assert asked(FROM, ("start", "le2024-07-26")).search == asked(FROM, TO).search


def test_fourteen_days_over_a_clock_change_are_fourteen_days() -> None:
    search = asked(("start", "ge2024-10-20"), ("end", "le2024-11-02")).search
    assert search.end - search.start == timedelta(days=14, hours=1)


def test_all_statuses_are_meant_if_none_is_named() -> None:
    assert asked(FROM, TO).search.statuses == ["free", "busy", "busy-unavailable"]
    assert asked(FROM, TO, ("status", "free,busy")).search.statuses == ["free", "busy"]


def test_a_practice_is_named_in_either_standard_s_way() -> None:
    for name in ("practice", "schedule.actor:HealthcareService.identifier", "Schedule.actor:HealthcareService"):
        for value in ("A1", "https://fhir.nhs.uk/Id/ods-organization-code|A1", "HealthcareService/A1"):
            assert asked(FROM, TO, (name, value)).search.practice == "A1"


def test_a_page_holds_no_more_than_a_thousand() -> None:
    assert asked(FROM, TO).search.count == 100
    assert asked(FROM, TO, ("_count", "5")).search.count == 5
    assert asked(FROM, TO, ("_count", "5000")).search.count == 1000


def test_what_is_not_known_is_left_out() -> None:
    assert asked(FROM, TO, ("searchFilter", "x|y"), ("_format", "json")).used == [FROM, TO]


@pytest.mark.parametrize(
    ("sent", "code", "where"),
    [
        ((), "missing-parameter", "start=ge…"),
        ((FROM,), "missing-parameter", "end=le…"),
        ((TO,), "missing-parameter", "start=ge…"),
        ((FROM, FROM, TO), "bad-parameter", "start"),
        ((FROM, TO, TO), "bad-parameter", "end"),
        ((("start", "gt2024-07-22"), TO), "bad-parameter", "start"),
        ((("start", "2024-07-22"), TO), "bad-parameter", "start"),
        ((("start", "ge2024-07"), TO), "bad-parameter", "start"),
        ((("start", "ge2024"), TO), "bad-parameter", "start"),
        ((("start", "ge2024-02-30"), TO), "bad-parameter", "start"),
        ((("start", "ge2024-07-22T09:00:00"), TO), "bad-parameter", "start"),
        ((FROM, ("end", "ge2024-07-26")), "bad-parameter", "end"),
        ((FROM, ("end", "le2024-07-21")), "bad-parameter", "end"),
        ((FROM, ("end", "le9999-12-31")), "bad-parameter", "end"),
        ((FROM, ("end", "le2024-08-05")), "span-too-wide", "start, end"),
        ((FROM, TO, ("status", "open")), "bad-parameter", "status"),
        ((FROM, TO, ("status", "free"), ("status", "busy")), "bad-parameter", "status"),
        ((FROM, TO, ("_count", "0")), "bad-parameter", "_count"),
        ((FROM, TO, ("_count", "many")), "bad-parameter", "_count"),
    ],
)
def test_nonsense_is_named(sent: tuple[tuple[str, str], ...], code: str, where: str) -> None:
    assert refusal(*sent) == (code, where)
