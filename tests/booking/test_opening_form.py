"""An opening as it is sent: what is read, what is answered, and each thing that makes no sense by its place."""

from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from services.booking.opening_form import OpeningForm, read_opening, shown
from shared.events.booking import Opening
from shared.refusals import Refusal


def read(**elements: Any) -> Opening:
    return read_opening(OpeningForm.model_validate(elements))


def test_nothing_said_restricts_nothing() -> None:
    assert read() == Opening()


def test_lists_are_read_in_order_and_without_repeats() -> None:
    opening = read(organisations=["U2", "U1", "U2"], organisation_types=["urgent-care", "gp-practice"])
    assert (opening.organisations, opening.organisation_types) == (("U1", "U2"), ("gp-practice", "urgent-care"))


def test_an_embargo_is_an_instant_and_is_shown_in_uk_local_time() -> None:
    opening = read(embargo_until="2024-07-22T07:00:00Z")
    assert opening.embargo_until == datetime(2024, 7, 22, 7, tzinfo=UTC)
    assert shown(opening)["embargo_until"] == "2024-07-22T08:00:00+01:00"


def test_what_is_shown_can_be_sent_again() -> None:
    opening = read(organisations=["U1"], days_ahead=14, embargo_until="2024-10-27T01:30:00+00:00", closes_minutes=30)
    assert read(**shown(opening)) == opening


@pytest.mark.parametrize(
    ("elements", "code", "where"),
    [
        ({"organisation_types": ["GP Practice"]}, "bad-organisation-type", "organisation_types[0]"),
        ({"organisation_types": ["gp-practice", ""]}, "bad-organisation-type", "organisation_types[1]"),
        ({"organisation_types": ["x" * 65]}, "bad-organisation-type", "organisation_types[0]"),
        ({"organisations": ["U1", "u1"]}, "bad-ods-code", "organisations[1]"),
        ({"organisations": ["U1 "]}, "bad-ods-code", "organisations[0]"),
        ({"embargo_until": "2024-07-22T08:00:00"}, "invalid-time", "embargo_until"),
        ({"embargo_until": "2024-07-22"}, "invalid-time", "embargo_until"),
        ({"embargo_until": "Monday"}, "invalid-time", "embargo_until"),
        ({"embargo_until": ""}, "invalid-time", "embargo_until"),
        ({"embargo_until": "0001-01-01T00:00:00+14:00"}, "invalid-time", "embargo_until"),
    ],
)
def test_what_makes_no_sense_is_refused_with_its_place(elements: dict[str, Any], code: str, where: str) -> None:
    with pytest.raises(Refusal) as refused:
        read(**elements)
    assert (refused.value.code, refused.value.where) == (code, where)


@pytest.mark.parametrize(
    "elements",
    [
        {"days_ahead": -1},
        {"days_ahead": 367},
        {"days_ahead": 1.5},
        {"days_ahead": "14"},
        {"closes_minutes": -1},
        {"closes_minutes": 7 * 24 * 60 + 1},
        {"closed": "yes"},
        {"organisations": "U1"},
        {"organisations": ["U1"] * 101},
        {"open_to": ["U1"]},
    ],
)
def test_what_is_of_another_form_is_refused(elements: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        read(**elements)


def test_the_place_is_named_within_the_body_that_the_opening_stands_in() -> None:
    with pytest.raises(Refusal) as refused:
        read_opening(OpeningForm(organisations=("u1",)), "opening.")
    assert refused.value.where == "opening.organisations[0]"
