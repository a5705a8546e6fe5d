"""Whom slots are for: the ring-fence of NHS 111, the practice's own share, and what is open to others, and when."""

from datetime import UTC, datetime, timedelta
from typing import get_args

import pytest

from services.booking.commands import Asker, Standing
from services.booking.keeping import SENTENCES, Verdict, effective, standing, verdict
from shared.access import OPERATE, Caller
from shared.events.booking import KeptFor, Opening

NOW = datetime(2024, 7, 22, 7, 0, tzinfo=UTC)
SOON = NOW + timedelta(hours=1, minutes=59)
TONIGHT = datetime(2024, 7, 22, 22, 59, tzinfo=UTC)
TOMORROW = datetime(2024, 7, 22, 23, 0, tzinfo=UTC)
"""Midnight in London, in summer."""

OPEN = Opening()
CLOSED = Opening(closed=True)


@pytest.mark.parametrize(
    ("caller", "expected"),
    [
        (Caller("a", "A1", "gp-practice"), "practice"),
        (Caller("a", "A1", "nhs-111"), "practice"),
        (Caller("b", "B2", "gp-practice"), "public"),
        (Caller("b", "B2", "nhs-111"), "nhs-111"),
        (Caller("desk", "", "", frozenset({OPERATE})), "practice"),
        (Caller("nobody", ""), "public"),
    ],
)
def test_how_a_caller_stands_to_practice_a1(caller: Caller, expected: Standing) -> None:
    assert standing(caller, "A1") == expected


@pytest.mark.parametrize(
    ("standing", "kept_for", "start", "expected"),
    [
        ("public", "anyone", TOMORROW, "available"),
        ("public", "nhs-111", SOON, "kept"),
        ("public", "same-day", SOON, "kept"),
        ("nhs-111", "anyone", TOMORROW, "available"),
        ("nhs-111", "nhs-111", TOMORROW, "available"),
        ("nhs-111", "nhs-111", NOW, "begun"),
        ("nhs-111", "same-day", SOON, "kept"),
        ("practice", "anyone", TOMORROW, "available"),
        ("practice", "anyone", NOW, "begun"),
        ("practice", "same-day", TONIGHT, "available"),
        ("practice", "same-day", TOMORROW, "kept"),
        ("practice", "nhs-111", SOON, "available"),
        ("practice", "nhs-111", NOW + timedelta(hours=2), "kept"),
    ],
)
def test_who_may_have_which_kept_slot(
    standing: Standing, kept_for: KeptFor, start: datetime, expected: Verdict
) -> None:
    assert verdict(Asker(standing), kept_for, start, OPEN, NOW) == expected


@pytest.mark.parametrize(
    ("standing", "kept_for", "expected"),
    [
        ("public", "anyone", "closed"),
        ("nhs-111", "anyone", "closed"),
        ("nhs-111", "nhs-111", "available"),
        ("practice", "anyone", "available"),
    ],
)
def test_what_a_closed_session_is_closed_to(standing: Standing, kept_for: KeptFor, expected: Verdict) -> None:
    assert verdict(Asker(standing), kept_for, SOON, CLOSED, NOW) == expected


UNRESTRICTED, BY_TYPE = Opening(), Opening(organisation_types=("urgent-care",))
BY_CODE, BY_BOTH = Opening(organisations=("U1",)), Opening(organisation_types=("urgent-care",), organisations=("U1",))


@pytest.mark.parametrize(
    ("asker", "unrestricted", "by_type", "by_code", "by_both"),
    [
        (Asker("public"), "available", "not-for-type", "not-for-organisation", "not-for-type"),
        (Asker("public", "", "urgent-care"), "available", "available", "not-for-organisation", "not-for-organisation"),
        (Asker("public", "U1"), "available", "not-for-type", "available", "not-for-type"),
        (Asker("public", "U1", "urgent-care"), "available", "available", "available", "available"),
        (
            Asker("public", "U2", "urgent-care"),
            "available",
            "available",
            "not-for-organisation",
            "not-for-organisation",
        ),
        (Asker("public", "U1", "pharmacy"), "available", "not-for-type", "available", "not-for-type"),
        (Asker("public", "U2", "pharmacy"), "available", "not-for-type", "not-for-organisation", "not-for-type"),
    ],
)
def test_gp_connects_truth_table_of_type_and_code(
    asker: Asker, unrestricted: Verdict, by_type: Verdict, by_code: Verdict, by_both: Verdict
) -> None:
    openings = (UNRESTRICTED, BY_TYPE, BY_CODE, BY_BOTH)
    verdicts = [verdict(asker, "anyone", SOON, opening, NOW) for opening in openings]
    assert verdicts == [unrestricted, by_type, by_code, by_both]


@pytest.mark.parametrize(
    ("opening", "start", "expected"),
    [
        (Opening(days_ahead=0), TONIGHT, "available"),
        (Opening(days_ahead=0), TOMORROW, "not-released"),
        (Opening(days_ahead=1), TOMORROW, "available"),
        (Opening(embargo_until=NOW), SOON, "available"),
        (Opening(embargo_until=NOW + timedelta(seconds=1)), SOON, "embargoed"),
        (Opening(closes_minutes=118), SOON, "available"),
        (Opening(closes_minutes=119), SOON, "closing"),
        (Opening(closes_minutes=119), NOW, "begun"),
        (Opening(), NOW + timedelta(seconds=1), "available"),
        (Opening(), NOW, "begun"),
    ],
)
def test_when_a_slot_is_open(opening: Opening, start: datetime, expected: Verdict) -> None:
    assert verdict(Asker("public"), "anyone", start, opening, NOW) == expected


def test_days_ahead_are_londons_calendar_days_across_a_change_of_the_clocks() -> None:
    saturday_evening = datetime(2024, 10, 26, 22, 30, tzinfo=UTC)
    sunday_evening = datetime(2024, 10, 27, 23, 30, tzinfo=UTC)
    assert verdict(Asker("public"), "anyone", sunday_evening, Opening(days_ahead=1), saturday_evening) == "available"
    assert verdict(Asker("public"), "anyone", sunday_evening, Opening(days_ahead=0), saturday_evening) == "not-released"


def test_a_sessions_own_opening_goes_before_its_practices_and_without_either_it_is_closed() -> None:
    assert effective(BY_TYPE, BY_CODE) == BY_TYPE
    assert effective(None, BY_CODE) == BY_CODE
    assert effective(CLOSED, OPEN) == CLOSED
    assert effective(OPEN, CLOSED) == OPEN
    assert effective(None, None).closed


def test_every_verdict_can_be_said_in_a_sentence() -> None:
    assert set(SENTENCES) == set(get_args(Verdict))
