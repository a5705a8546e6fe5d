"""The diary file row by row: what is read, and each fault with its line, its field and its reason."""

from datetime import UTC, datetime

import pytest

from services.booking.diary import COLUMNS, read_diary
from shared.records import Fault
from shared.refusals import Refusal
from tests.booking.paper import ANN, diary_file, row


def faults(*rows: dict[str, str]) -> list[tuple[int, str]]:
    return [(fault.line, fault.field) for fault in read_diary(diary_file(*rows), made_up=True).faults]


def reason(**others: str) -> str:
    (fault,) = read_diary(diary_file(row(ANN, **others)), made_up=True).faults
    return fault.reason


def test_a_free_slot_and_an_appointment_are_read() -> None:
    free, taken = read_diary(diary_file(row(), row(ANN, start="2024-07-22T09:10")), made_up=True).rows
    assert (free.line, free.status, free.nhs_number) == (2, "free", "")
    assert free.start == datetime(2024, 7, 22, 8, 0, tzinfo=UTC)
    assert (taken.given_name, taken.mobile, taken.priority) == ("Ann", ("+447700900123", True), 3)
    assert taken.booked_at == datetime(2024, 7, 10, 9, 0, tzinfo=UTC)


def test_columns_may_stand_in_any_order_and_lines_may_be_blank() -> None:
    header, line = diary_file(row(ANN)).splitlines()
    cells = dict(zip(header.split(","), line.split(","), strict=True))
    backwards = list(reversed(COLUMNS))
    text = f"{','.join(backwards)}\n\n{','.join(cells[column] for column in backwards)}\n\n"
    (read,) = read_diary(text, made_up=True).rows
    assert (read.line, read.family_name) == (3, "Teak")


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ("", "missing: practice"),
        (",".join(COLUMNS[1:]), "missing: practice"),
        (",".join((*COLUMNS, "colour")), "unknown: colour"),
        (",".join((*COLUMNS, "practice")), "there twice: practice"),
    ],
)
def test_a_file_that_is_no_diary_is_refused_with_what_its_header_lacks(header: str, said: str) -> None:
    with pytest.raises(Refusal, match=said) as refused:
        read_diary(f"{header}\n", made_up=True)
    assert (refused.value.code, refused.value.where) == ("bad-header", "line 1")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("practice", ""),
        ("session", " "),
        ("clinician", ""),
        ("channel", "carrier pigeon"),
        ("start", "next Monday"),
        ("start", "2024-02-30T09:00"),
        ("minutes", "0"),
        ("minutes", "481"),
        ("minutes", "10.5"),
        ("minutes", ""),
        ("minutes", "-10"),
        ("minutes", "１０"),  # noqa: RUF001 (digits of another script are not taken for ours)
        ("status", "maybe"),
        ("nhs_number", "9990000019"),
        ("nhs_number", "999000001"),
        ("nhs_number", "999 000 0018"),
        ("nhs_number", "99900000188"),
        ("nhs_number", "９９９００００018"),  # noqa: RUF001
        ("birth_date", "31/03/1958"),
        ("birth_date", "1958-02-30"),
        ("birth_date", ""),
        ("given_name", ""),
        ("family_name", ""),
        ("mobile", "ask her son"),
        ("mobile", "12"),
        ("description", "x" * 101),
        ("priority", "10"),
        ("booked_at", "yesterday"),
    ],
)
def test_a_field_that_makes_no_sense_is_named_with_its_line(field: str, value: str) -> None:
    assert faults(row(), row(ANN, **{field: value})) == [(3, field)]


def test_an_hour_that_the_spring_change_skips_does_not_exist() -> None:
    assert "clocks go forward" in reason(start="2024-03-31T01:30")


def test_an_hour_that_the_autumn_change_repeats_needs_its_offset() -> None:
    assert "twice" in reason(start="2024-10-27T01:30")
    both = (row(start="2024-10-27T01:30+01:00"), row(start="2024-10-27T01:30+00:00"))
    first, second = read_diary(diary_file(*both), made_up=True).rows
    assert (second.start - first.start).total_seconds() == 3600


def test_a_free_slot_has_no_patient_and_an_appointment_has_one() -> None:
    assert faults(row(ANN, status="free")) == [(2, "status")]
    assert faults(row(ANN, nhs_number="")) == [(2, "nhs_number")]


def test_every_fault_of_a_row_is_named() -> None:
    assert faults(row(ANN, minutes="0", channel="fax")) == [(2, "channel"), (2, "minutes")]


def test_a_row_with_too_few_fields_is_at_fault_and_the_others_are_read() -> None:
    text = diary_file(row(), row(start="2024-07-22T09:10"))
    first, second, third = text.splitlines()
    reading = read_diary(f"{first}\n{second}\nA1,Morning\n{third}\n", made_up=True)
    assert [read.line for read in reading.rows] == [2, 4]
    assert reading.faults == [Fault(3, "", "The row has 2 fields, the header 19")]


def test_a_quotation_mark_out_of_place_is_at_fault() -> None:
    first, second = diary_file(row()).splitlines()
    misquoted = second.replace("Dr Jones", '"Dr" Jones')
    reading = read_diary(f"{first}\n{misquoted}\n{second}\n", made_up=True)
    assert [fault.line for fault in reading.faults] == [2]
    assert [read.line for read in reading.rows] == [3]


def test_a_field_over_several_lines_counts_them() -> None:
    over = row(ANN, description="Back\npain")
    assert faults(over, row(ANN, minutes="0", start="2024-07-22T09:10")) == [(4, "minutes")]


def test_a_landline_is_kept_to_be_rung_though_it_cannot_be_texted() -> None:
    (read,) = read_diary(diary_file(row(ANN, mobile="01227 123456")), made_up=True).rows
    assert read.mobile == ("+441227123456", False)


def test_a_fault_never_quotes_what_identifies_a_patient() -> None:
    bad = row(ANN, nhs_number="9990000019", mobile="0770090 Teak", birth_date="31/03/1958")
    said = " ".join(fault.reason for fault in read_diary(diary_file(bad), made_up=True).faults)
    assert not [secret for secret in ("9990000019", "Teak", "31/03/1958") if secret in said]
