"""The parameters of a Slot search: stretches of time, statuses, filters, pages, and how nonsense is told from them."""

from datetime import UTC, datetime, timedelta

import pytest

from services.booking.fhir.resources import ODS_CODE
from services.booking.fhir.slot_params import read_parameters
from services.booking.slot_search import SlotSearch
from services.booking.viewing import ORGANISATION_TYPES, Viewer
from shared.refusals import Refusal

FROM, TO, FREE = ("start", "ge2024-07-22"), ("end", "le2024-07-26"), ("status", "free")
HUB = Viewer("U1", "urgent-care")
ORGANISATION_TYPE = ORGANISATION_TYPES[0]


def asked(*sent: tuple[str, str], viewer: Viewer = HUB) -> SlotSearch:
    return read_parameters([FREE, *sent], viewer)[0]


def refusal(*sent: tuple[str, str], strict: bool = False) -> tuple[str, str]:
    with pytest.raises(Refusal) as refused:
        read_parameters(sent, HUB, strict=strict)
    return refused.value.code, refused.value.where


def test_a_whole_date_is_a_day_in_london() -> None:
    search = asked(FROM, TO)
    assert search.start == datetime(2024, 7, 21, 23, 0, tzinfo=UTC)
    assert search.end == datetime(2024, 7, 26, 23, 0, tzinfo=UTC)


def test_a_time_has_its_offset_even_if_the_plus_was_not_escaped() -> None:
    nine = datetime(2024, 7, 22, 8, 0, tzinfo=UTC)
    for text in ("2024-07-22T09:00:00+01:00", "2024-07-22T09:00:00 01:00", "2024-07-22T08:00:00Z", "2024-07-22T08:00Z"):
        assert asked(("start", f"ge{text}"), TO).start == nine


def test_the_upper_bound_may_be_a_start_as_bars_writes_it() -> None:
    assert asked(FROM, ("start", "le2024-07-26")) == asked(FROM, TO)


def test_fourteen_days_over_a_clock_change_are_fourteen_days() -> None:
    search = asked(("start", "ge2024-10-20"), ("end", "le2024-11-02"))
    assert search.end - search.start == timedelta(days=14, hours=1)


def test_any_of_several_statuses_can_be_meant() -> None:
    assert read_parameters([FROM, TO, ("status", "free,busy")], HUB)[0].statuses == ["free", "busy"]


def test_a_practice_is_named_in_either_standard_s_way() -> None:
    for name in (
        "practice",
        "schedule.actor:HealthcareService.identifier",
        "Schedule.actor:HealthcareService",
        "schedule.actor.identifier",
    ):
        for value in ("A1", f"{ODS_CODE}|A1", f"{ODS_CODE.replace('/Id/', '/id/')}|A1", "HealthcareService/A1"):
            assert asked(FROM, TO, (name, value)).practice == "A1"
    assert asked(FROM, TO).practice is None


def test_a_practice_in_another_system_of_codes_is_none_of_ours() -> None:
    assert asked(FROM, TO, ("practice", "https://elsewhere|A1")).practice == ""


def test_a_session_is_named_by_reference_or_id() -> None:
    for value in ("s1", "Schedule/s1", "https://booking/fhir/R4/Schedule/s1"):
        assert asked(FROM, TO, ("schedule", value)).session == "s1"


def test_a_page_holds_no_more_than_a_thousand() -> None:
    assert asked(FROM, TO).count == 100
    assert asked(FROM, TO, ("_count", "5")).count == 5
    assert asked(FROM, TO, ("_count", "0")).count == 0
    assert asked(FROM, TO, ("_count", "5000")).count == 1000


class TestFilters:
    def test_none_sent_means_the_caller_as_the_token_has_it(self) -> None:
        assert asked(FROM, TO).viewer == HUB

    @pytest.mark.parametrize("system", ORGANISATION_TYPES)
    def test_a_type_alone_leaves_the_organisation_out(self, system: str) -> None:
        assert asked(FROM, TO, ("searchFilter", f"{system}|urgent-care")).viewer == Viewer("", "urgent-care")

    def test_a_code_alone_leaves_the_type_out(self) -> None:
        assert asked(FROM, TO, ("searchFilter", f"{ODS_CODE}|U1")).viewer == Viewer("U1", "")

    def test_both_are_both(self) -> None:
        both = ("searchFilter", f"{ODS_CODE}|U1"), ("searchFilter", f"{ORGANISATION_TYPE}|urgent-care")
        assert asked(FROM, TO, *both).viewer == HUB

    def test_do_not_make_the_caller_another(self) -> None:
        others = ("searchFilter", f"{ODS_CODE}|X1"), ("searchFilter", f"{ORGANISATION_TYPE}|nhs-111")
        assert asked(FROM, TO, *others).viewer == Viewer()

    def test_let_an_operator_ask_as_anybody(self) -> None:
        both = ("searchFilter", f"{ODS_CODE}|U1"), ("searchFilter", f"{ORGANISATION_TYPE}|urgent-care")
        assert asked(FROM, TO, *both, viewer=Viewer(all=True)).viewer == HUB

    def test_of_an_unknown_system_are_ignored_even_if_strict(self) -> None:
        foreign = ("searchFilter", "https://elsewhere|X")
        search, sorted_out = read_parameters([FREE, FROM, TO, foreign], HUB, strict=True)
        assert search.viewer == HUB
        assert sorted_out.sent == [FREE, FROM, TO]
        assert sorted_out.ignored == []


class TestWhatIsNotKnown:
    def test_is_left_out_and_named(self) -> None:
        sent = [FREE, FROM, TO, ("specialty", "x"), ("_include", "Slot:nobody"), ("_format", "json"), ("practice", "")]
        _, sorted_out = read_parameters(sent, HUB)
        assert sorted_out.sent == [FREE, FROM, TO]
        assert sorted_out.ignored == ["specialty", "_include"]

    def test_is_refused_if_strict(self) -> None:
        assert refusal(FREE, FROM, TO, ("specialty", "x"), strict=True) == ("unknown-parameter", "specialty")

    def test_is_not_what_a_schedule_holds_already(self) -> None:
        wanted = [("_include", "Slot:schedule"), ("_include:recurse", "Schedule:actor:Practitioner")]
        wanted += [("_include", "Schedule:actor:HealthcareService"), ("_include:iterate", "Schedule:actor")]
        _, sorted_out = read_parameters([FREE, FROM, TO, *wanted], HUB, strict=True)
        assert sorted_out.sent == [FREE, FROM, TO, ("_include", "Slot:schedule")]

    def test_is_named_without_what_could_not_be_printed(self) -> None:
        _, sorted_out = read_parameters([FREE, FROM, TO, ("a\x07" + "b" * 99, "x")], HUB)
        assert sorted_out.ignored == ["a?" + "b" * 62]


@pytest.mark.parametrize(
    ("sent", "code", "where"),
    [
        ((FREE,), "missing-parameter", "start=ge…"),
        ((FREE, FROM), "missing-parameter", "end=le…"),
        ((FREE, TO), "missing-parameter", "start=ge…"),
        ((FROM, TO), "missing-parameter", "status"),
        ((FREE, FROM, FROM, TO), "bad-parameter", "start"),
        ((FREE, FROM, TO, TO), "bad-parameter", "end"),
        ((FREE, ("start", "gt2024-07-22"), TO), "bad-parameter", "start"),
        ((FREE, ("start", "2024-07-22"), TO), "bad-parameter", "start"),
        ((FREE, ("start", "ge2024-07"), TO), "bad-parameter", "start"),
        ((FREE, ("start", "ge2024"), TO), "bad-parameter", "start"),
        ((FREE, ("start", "ge2024-02-30"), TO), "bad-parameter", "start"),
        ((FREE, ("start", "ge2024-07-22T09:00:00"), TO), "bad-parameter", "start"),
        ((FREE, ("start", "ge2024-07-22T23:59:60Z"), TO), "bad-parameter", "start"),
        ((FREE, ("start", "ge20240722"), TO), "bad-parameter", "start"),
        ((FREE, ("start", "ge2024-W30-1"), TO), "bad-parameter", "start"),
        ((FREE, FROM, ("end", "ge2024-07-26")), "bad-parameter", "end"),
        ((FREE, FROM, ("end", "le2024-07-21")), "bad-parameter", "end"),
        ((FREE, FROM, ("end", "le9999-12-31")), "bad-parameter", "end"),
        ((FREE, FROM, ("end", "le2024-08-05")), "span-too-wide", "start, end"),
        ((("status", "open"), FROM, TO), "bad-parameter", "status"),
        ((FREE, FREE, FROM, TO), "bad-parameter", "status"),
        ((FREE, FROM, TO, ("_count", "-1")), "bad-parameter", "_count"),
        ((FREE, FROM, TO, ("_count", "many")), "bad-parameter", "_count"),
        ((FREE, FROM, TO, ("practice", "A\0")), "bad-parameter", "practice"),
    ],
)
def test_nonsense_is_named(sent: tuple[tuple[str, str], ...], code: str, where: str) -> None:
    assert refusal(*sent) == (code, where)
