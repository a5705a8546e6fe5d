"""Rows become pages: what belongs together, and what contradicts another row or the diary as it is known."""

from datetime import UTC, datetime, timedelta

import pytest

from services.booking.diary import read_diary
from services.booking.pages import Binding, Known, Span, bind, kept_for, session_id, slot_id
from shared.clock import london_date
from shared.events.booking import KeptFor, Slot
from shared.ids import derived_id
from tests.booking.paper import ANN, BOB, diary_file, row

NINE = datetime(2024, 7, 22, 8, 0, tzinfo=UTC)
SESSION = session_id("A1", "Morning", "Dr Jones", london_date(NINE))
SLOT = slot_id(SESSION, NINE)
EMPTY = Known(frozenset({"A1", "B2"}), (), {}, {}, {})


def bound(*rows: dict[str, str], known: Known = EMPTY) -> Binding:
    reading = read_diary(diary_file(*rows), made_up=True)
    assert not reading.faults
    return bind(reading.rows, known, lambda nhs_number: f"patient {nhs_number}")


def faults(*rows: dict[str, str], known: Known = EMPTY) -> list[tuple[int, str]]:
    return [(fault.line, fault.field) for fault in bound(*rows, known=known).faults]


def test_rows_of_one_session_make_one_page_in_order_of_start() -> None:
    (page,) = bound(row(start="2024-07-22T09:10"), row(ANN)).pages
    assert page.sheet.session == SESSION
    assert [slot.start for slot in page.sheet.slots] == [NINE, NINE + timedelta(minutes=10)]


def test_ids_are_derived_from_what_they_name_so_that_a_file_sent_again_means_the_same() -> None:
    (page,) = bound(row(ANN)).pages
    (line,) = page.lines
    assert (line.slot.id, line.patient) == (SLOT, "patient 9990000018")
    assert line.appointment == derived_id("appointment", SLOT, "patient 9990000018")


@pytest.mark.parametrize("field", ["practice", "session", "clinician", "start"])
def test_another_practice_name_clinician_or_day_is_another_page(field: str) -> None:
    other = {"practice": "B2", "session": "Late", "clinician": "Dr Khan", "start": "2024-07-23T09:00"}
    assert len(bound(row(), row(**{"start": "2024-07-22T18:00", field: other[field]})).pages) == 2


@pytest.mark.parametrize(
    ("service_type", "expected"),
    [
        ("NHS 111", "nhs-111"),
        ("nhs-111", "nhs-111"),
        ("Triage for NHS111", "nhs-111"),
        ("Same day", "same-day"),
        ("SAME-DAY triage", "same-day"),
        ("GP consultation", "anyone"),
        ("", "anyone"),
    ],
)
def test_the_service_says_whom_the_slot_is_kept_for(service_type: str, expected: KeptFor) -> None:
    assert kept_for(service_type) == expected


def test_a_practice_that_is_not_registered_is_at_fault() -> None:
    binding = bound(row(), row(practice="Z9"))
    assert [(fault.line, fault.field) for fault in binding.faults] == [(3, "practice")]
    assert len(binding.pages) == 1


def test_two_appointments_in_one_slot_are_at_fault() -> None:
    assert faults(row(ANN), row(BOB)) == [(3, "start")]


def test_one_patient_twice_in_one_slot_is_at_fault() -> None:
    assert faults(row(ANN), row(ANN, status="cancelled")) == [(3, "nhs_number")]


def test_a_slot_called_off_by_one_patient_may_be_another_s() -> None:
    assert faults(row(ANN, status="cancelled"), row(BOB)) == []
    assert faults(row(BOB), row(ANN, status="cancelled")) == []


def test_one_slot_written_in_two_ways_is_at_fault() -> None:
    assert faults(row(ANN, status="cancelled"), row(BOB, minutes="20")) == [(3, "start")]


def test_slots_of_one_session_that_overlap_are_at_fault() -> None:
    assert faults(row(minutes="15"), row(start="2024-07-22T09:10")) == [(3, "start")]


def test_rows_of_one_session_agree_where_it_is_held() -> None:
    assert faults(row(), row(start="2024-07-22T09:10", location="Room 2")) == [(3, "location")]


def test_a_clinician_cannot_be_in_two_sessions_at_once() -> None:
    both = (row(), row(start="2024-07-22T09:10"), row(session="Visits", start="2024-07-22T09:05", minutes="5"))
    assert faults(*both) == [(4, "session")]


def test_a_session_may_begin_when_the_one_before_ends() -> None:
    assert faults(row(), row(session="Visits", start="2024-07-22T09:10")) == []


def test_clinicians_of_one_name_at_two_practices_are_two() -> None:
    assert faults(row(), row(practice="B2", session="Visits")) == []


class TestAgainstWhatIsKnown:
    STANDS = Slot(id=SLOT, start=NINE, minutes=10, service_type="GP consultation")
    SPAN = Span(SESSION, "Morning", "A1", "Dr Jones", NINE, NINE + timedelta(minutes=10))
    ANN_S = derived_id("appointment", SLOT, "patient 9990000018")

    def known(self, **statuses: str) -> Known:
        return Known(
            practices=frozenset({"A1"}),
            spans=(self.SPAN,),
            slots={SESSION: {SLOT: self.STANDS}},
            takers={SLOT: self.ANN_S},
            statuses={self.ANN_S: statuses.get("ann", "booked")},  # type: ignore[dict-item]
        )

    def test_the_same_rows_again_are_no_fault(self) -> None:
        assert faults(row(ANN), known=self.known()) == []

    def test_a_slot_that_another_has_is_at_fault(self) -> None:
        assert faults(row(BOB), known=self.known()) == [(2, "start")]

    def test_a_slot_that_the_file_itself_calls_off_is_free(self) -> None:
        assert faults(row(ANN, status="cancelled"), row(BOB), known=self.known()) == []

    def test_an_appointment_that_was_moved_away_here_claims_its_slot_no_more(self) -> None:
        moved = Known(frozenset({"A1"}), (), {}, {SLOT: "bob's"}, {self.ANN_S: "moved"})
        assert faults(row(ANN), known=moved) == []

    def test_a_slot_that_differs_is_at_fault(self) -> None:
        assert faults(row(minutes="20"), known=self.known()) == [(2, "start")]

    def test_a_slot_that_runs_into_a_known_one_is_at_fault(self) -> None:
        assert faults(row(start="2024-07-22T08:55"), known=self.known()) == [(2, "start")]

    def test_a_session_that_overlaps_a_known_one_is_at_fault(self) -> None:
        other = Span("other", "Visits", "A1", "Dr Jones", NINE - timedelta(hours=1), NINE + timedelta(minutes=1))
        known = Known(frozenset({"A1"}), (other,), {}, {}, {})
        assert faults(row(), known=known) == [(2, "session")]

    def test_a_session_extended_into_another_is_at_fault(self) -> None:
        at_ten = Span("other", "Visits", "A1", "Dr Jones", NINE + timedelta(hours=1), NINE + timedelta(hours=2))
        known = Known(frozenset({"A1"}), (self.SPAN, at_ten), {SESSION: {SLOT: self.STANDS}}, {}, {})
        assert faults(row(start="2024-07-22T10:00"), known=known) == [(2, "session")]


class TestASlotThatWasWithdrawn:
    ANN_S = TestAgainstWhatIsKnown.ANN_S
    KNOWN = Known(frozenset({"A1"}), (), {}, {}, {ANN_S: "displaced"}, frozenset({SLOT}))
    TEN_PAST = "2024-07-22T09:10"

    def test_is_left_out_with_whoever_was_displaced_from_it(self) -> None:
        of_file = bound(row(ANN), row(start=self.TEN_PAST), known=self.KNOWN)
        assert (of_file.faults, of_file.left_out) == ([], 1)
        assert [len(page.lines) for page in of_file.pages] == [1]

    def test_leaves_no_page_if_there_was_nothing_else_on_it(self) -> None:
        of_file = bound(row(), known=self.KNOWN)
        assert (of_file.pages, of_file.faults, of_file.left_out) == ([], [], 1)

    def test_makes_room_for_others_whatever_the_file_still_says(self) -> None:
        quarter = Slot(id="quarter", start=NINE + timedelta(minutes=5), minutes=15)
        known = Known(frozenset({"A1"}), (), {SESSION: {"quarter": quarter}}, {}, {}, frozenset({SLOT}))
        assert faults(row(), row(start="2024-07-22T09:20"), known=known) == []

    def test_takes_nobody_new(self) -> None:
        assert faults(row(BOB), known=self.KNOWN) == [(2, "start")]
