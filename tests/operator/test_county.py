"""The made-up county: as many appointments as asked for, in the mix Kent and Medway has, and nobody real."""

import csv
import io
import re
from collections import Counter
from datetime import datetime, timedelta
from random import Random

import pytest

from services.operator.county import (
    apportion,
    diaries,
    made_up_practices,
    practices_csv,
    practices_from,
    shares,
)
from services.operator.county_diary import DIARY_COLUMNS, LOST_DAY, WORKING_DAYS, Diary, share_booked_ahead
from shared.phone import is_textable
from shared.refusals import Refusal

PRACTICES = made_up_practices(12, seed=1)
HEADER = "ods_code,name,town,postcode,registered_patients,nhs111_slots_per_day\n"
Row = dict[str, str]


@pytest.fixture(scope="module")
def county() -> list[Diary]:
    return list(diaries(PRACTICES, 2_000, seed=1))


@pytest.fixture(scope="module")
def rows(county: list[Diary]) -> list[Row]:
    return [row for diary in county for row in csv.DictReader(io.StringIO(diary.text))]


@pytest.mark.parametrize("appointments", [1, 7, 500, 3_401])
def test_the_lost_friday_has_exactly_as_many_appointments_as_asked_for(appointments: int) -> None:
    county = list(diaries(PRACTICES, appointments, seed=3))
    friday = [
        row for diary in county for row in _rows(diary) if row["start"].startswith(str(LOST_DAY)) and row["nhs_number"]
    ]
    assert len(friday) == appointments
    assert sum(len(diary.lost_day) for diary in county) == appointments


def test_the_same_seed_makes_the_same_county_and_another_seed_another() -> None:
    first, again, other = (list(diaries(PRACTICES[:2], 60, seed=seed)) for seed in (5, 5, 6))
    assert first == again
    assert first != other


def test_rows_have_the_columns_of_the_diary_and_are_counted(county: list[Diary]) -> None:
    for diary in county:
        assert tuple(csv.DictReader(io.StringIO(diary.text)).fieldnames or ()) == DIARY_COLUMNS
        assert len(_rows(diary)) == diary.rows


def test_the_lost_day_is_named_as_the_diary_has_it(county: list[Diary]) -> None:
    for diary in county:
        booked = {(row["start"], row["nhs_number"]) for row in _rows(diary) if row["start"][:10] == str(LOST_DAY)}
        assert set(diary.lost_day) <= booked
        assert len(set(diary.lost_day)) == len(diary.lost_day)


def test_later_days_are_as_full_as_they_were_seen_from_the_friday(rows: list[Row]) -> None:
    booked = Counter(row["start"][:10] for row in rows if row["nhs_number"])
    for day in WORKING_DAYS[1:]:
        expected = 2_000 * share_booked_ahead((day - LOST_DAY).days)
        assert booked[str(day)] == pytest.approx(expected, abs=len(PRACTICES))


def test_nothing_was_booked_after_the_systems_went_down(rows: list[Row]) -> None:
    assert max(row["booked_at"] for row in rows) < f"{LOST_DAY}T08:30"


def test_same_day_slots_are_booked_that_friday_morning_and_free_on_later_days(rows: list[Row]) -> None:
    same_day = [row for row in rows if row["service_type"] == "Same day"]
    friday = [row for row in same_day if row["start"][:10] == str(LOST_DAY)]
    assert len(friday) == round(2_000 * 0.448)
    assert all(f"{LOST_DAY}T07:30" <= row["booked_at"] < f"{LOST_DAY}T08:30" for row in friday)
    assert not any(row["nhs_number"] for row in same_day if row["start"][:10] != str(LOST_DAY))


def test_other_appointments_of_the_friday_were_booked_on_earlier_days(rows: list[Row]) -> None:
    friday = [row for row in rows if row["start"][:10] == str(LOST_DAY) and row["nhs_number"]]
    assert all(row["booked_at"] < str(LOST_DAY) for row in friday if row["service_type"] != "Same day")


def test_every_practice_keeps_its_slots_for_nhs_111_free_every_day(county: list[Diary]) -> None:
    for practice, diary in zip(PRACTICES, county, strict=True):
        kept = [row for row in _rows(diary) if row["service_type"] == "NHS 111"]
        assert Counter(row["start"][:10] for row in kept) == {
            str(day): practice.nhs111_slots_per_day for day in WORKING_DAYS
        }
        assert not any(row["nhs_number"] for row in kept)


def test_half_the_slots_are_a_gps_and_channels_are_as_in_kent(rows: list[Row]) -> None:
    roles = Counter(row["clinician_role"] for row in rows if row["service_type"] != "NHS 111")
    channels = Counter(row["channel"] for row in rows)
    assert roles["GP"] / roles.total() == pytest.approx(0.513, abs=0.02)
    assert channels["in-person"] / channels.total() == pytest.approx(0.64, abs=0.04)
    assert channels["telephone"] / channels.total() == pytest.approx(0.34, abs=0.04)


def test_no_clinician_is_in_two_places_at_once_and_no_session_overlaps_itself(county: list[Diary]) -> None:
    for diary in county:
        ends: dict[str, datetime] = {}
        for row in sorted(_rows(diary), key=lambda row: row["start"]):
            start = datetime.fromisoformat(row["start"])
            assert ends.get(row["clinician"], start) <= start
            ends[row["clinician"]] = start + timedelta(minutes=int(row["minutes"]))


def test_a_session_has_one_clinician_one_day_and_one_half_of_it(rows: list[Row]) -> None:
    sessions = {
        (row["practice"], row["session"]): (row["clinician"], row["start"][:10], row["start"][11:13] >= "13")
        for row in rows
    }
    for row in rows:
        facts = (row["clinician"], row["start"][:10], row["start"][11:13] >= "13")
        assert sessions[row["practice"], row["session"]] == facts


def test_patients_have_valid_made_up_nhs_numbers_and_are_at_one_practice_only(rows: list[Row]) -> None:
    practice_of: dict[str, str] = {}
    for row in rows:
        if number := row["nhs_number"]:
            assert re.fullmatch(r"999\d{7}", number)
            assert sum(weight * int(digit) for weight, digit in zip(range(10, 0, -1), number, strict=True)) % 11 == 0
            assert practice_of.setdefault(number, row["practice"]) == row["practice"]


def test_no_patient_has_two_appointments_on_one_day(rows: list[Row]) -> None:
    visits = Counter((row["nhs_number"], row["start"][:10]) for row in rows if row["nhs_number"])
    assert visits.most_common(1)[0][1] == 1


def test_seven_in_eight_can_be_texted_and_only_families_share_a_mobile(rows: list[Row]) -> None:
    patients = {row["nhs_number"]: row for row in rows if row["nhs_number"]}
    mobiles = [row for row in patients.values() if is_textable(row["mobile"], made_up=True)]
    assert len(mobiles) / len(patients) == pytest.approx(0.88, abs=0.02)
    families: dict[str, set[str]] = {}
    for row in mobiles:
        families.setdefault(row["mobile"], set()).add(row["family_name"])
    assert {len(names) for names in families.values()} == {1}
    assert len(mobiles) > len(families) > 0.95 * len(mobiles)


def test_parts_come_to_the_whole_and_follow_their_weights() -> None:
    rng = Random(1)
    for _ in range(50):
        weights = [rng.randint(1, 30_000) for _ in range(rng.randint(1, 40))]
        total = rng.randint(0, 5_000)
        parts = apportion(total, weights)
        assert sum(parts) == total
        assert all(abs(part - total * weight / sum(weights)) < 1 for part, weight in zip(parts, weights, strict=True))


def test_a_practice_does_appointments_in_proportion_to_its_list() -> None:
    by_list = sorted(
        zip(PRACTICES, shares(PRACTICES, 2_000), strict=True), key=lambda both: both[0].registered_patients
    )
    assert [share.appointments for _, share in by_list] == sorted(share.appointments for _, share in by_list)


def test_made_up_practices_have_codes_of_their_own_that_nobody_could_take_for_real() -> None:
    practices = made_up_practices(181, seed=1)
    assert len({practice.ods_code for practice in practices}) == 181
    assert all(re.fullmatch(r"MADEUP\d{3}", practice.ods_code) for practice in practices)
    assert 1_400_000 < sum(practice.registered_patients for practice in practices) < 2_200_000


def test_practices_written_as_csv_are_read_back_the_same() -> None:
    assert practices_from(practices_csv(PRACTICES)) == PRACTICES


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("ods_code,name\nG82002,One\n", "line 1, town"),
        (HEADER, "line 2, ods_code"),
        (f"{HEADER}g82,One,Town,ZZ1 1ZZ,100,1\n", "line 2, ods_code"),
        (f"{HEADER}G82002,,Town,ZZ1 1ZZ,100,1\n", "line 2, name"),
        (f"{HEADER}G82002,One,Town,ZZ1 1ZZ,100,1\nG82003,Two,Town,ZZ1 1ZZ,-4,1\n", "line 3, registered_patients"),
        (f"{HEADER}G82002,One,Town,ZZ1 1ZZ,100,none\n", "line 2, nhs111_slots_per_day"),
        (f"{HEADER}G82002,One,Town,ZZ1 1ZZ,100\n", "line 2, nhs111_slots_per_day"),
        (f"{HEADER}G82002,One,T,Z,100,1\nG82002,Two,T,Z,100,1\n", "line 3, ods_code"),
    ],
)
def test_a_bad_practices_file_is_refused_with_its_line_and_column(text: str, where: str) -> None:
    with pytest.raises(Refusal) as refused:
        practices_from(text)
    assert refused.value.where == where


@pytest.mark.parametrize("appointments", [0, -1, 200_001])
def test_a_day_that_cannot_be_made_up_is_refused(appointments: int) -> None:
    with pytest.raises(Refusal, match="cannot be made up"):
        next(diaries(PRACTICES, appointments, seed=1))


def _rows(diary: Diary) -> list[Row]:
    return list(csv.DictReader(io.StringIO(diary.text)))
