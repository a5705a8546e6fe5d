"""Whom slots are kept for: the ring-fence of NHS 111, and the practice's own same-day share."""

from datetime import UTC, datetime, timedelta

import pytest

from services.booking.commands import Caller
from services.booking.keeping import may_use
from shared.events.booking import KeptFor

NOW = datetime(2024, 7, 22, 7, 0, tzinfo=UTC)
SOON = NOW + timedelta(hours=1, minutes=59)
TONIGHT = datetime(2024, 7, 22, 22, 59, tzinfo=UTC)
TOMORROW = datetime(2024, 7, 22, 23, 0, tzinfo=UTC)
"""Midnight in London, in summer."""


@pytest.mark.parametrize(
    ("caller", "kept_for", "start", "may"),
    [
        ("public", "anyone", TOMORROW, True),
        ("public", "nhs-111", SOON, False),
        ("public", "same-day", SOON, False),
        ("nhs-111", "anyone", TOMORROW, True),
        ("nhs-111", "nhs-111", TOMORROW, True),
        ("nhs-111", "same-day", SOON, False),
        ("practice", "anyone", TOMORROW, True),
        ("practice", "same-day", TONIGHT, True),
        ("practice", "same-day", TOMORROW, False),
        ("practice", "nhs-111", SOON, True),
        ("practice", "nhs-111", NOW + timedelta(hours=2), False),
    ],
)
def test_who_may_use_which_slot(caller: Caller, kept_for: KeptFor, start: datetime, may: bool) -> None:
    assert may_use(caller, kept_for, start, NOW) is may
