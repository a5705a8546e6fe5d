"""Only a UK mobile can be texted, and a number that cannot be anyone's only where people are made up."""

import phonenumbers
import pytest

from shared.phone import is_textable, textable
from shared.refusals import Refusal


@pytest.mark.parametrize("written", ["07400 123456", "+44 7400 123456", "0044 7400 123456", "+44(0)7400123456"])
def test_a_mobile_is_written_one_way(written: str) -> None:
    assert textable(written, made_up=False) == "+447400123456"


@pytest.mark.parametrize(
    ("written", "complaint"),
    [
        ("01632 960123", "is not a number in use"),
        ("020 7946 0000", "is not a"),
        ("0740O123456", "characters that no telephone number has"),
        ("+33 6 12 34 56 78", "is not a UK number"),
        ("07400", "is not a number in use"),
        ("", "characters"),
        ("070 1234 5678", "is not a"),
        ("0300 123 4567", "is not a mobile number"),
        ("+1 202 555 0123", "is not a UK number"),
        ("07700 90012", "is not a number in use"),
        ("07700 9001234", "is not a number in use"),
        ("07400 l23456", "characters that no telephone number has"),
        ("\uff10\uff17400 123456", "characters that no telephone number has"),
        ("tel:+447400123456", "characters that no telephone number has"),
    ],
)
def test_anything_else_is_refused_and_the_number_is_not_repeated(written: str, complaint: str) -> None:
    with pytest.raises(Refusal, match=complaint) as refused:
        textable(written, made_up=True)

    assert not written or written not in refused.value.message


@pytest.mark.parametrize("written", ["07700 900123", "07698 123456"])
def test_made_up_numbers_pass_only_where_people_are_made_up(written: str) -> None:
    assert is_textable(written, made_up=True)
    assert not is_textable(written, made_up=False)


@pytest.mark.parametrize("written", ["+447698000000", "+447698500000", "+447698999999"])
def test_no_operator_holds_the_made_up_range(written: str) -> None:
    assert not phonenumbers.is_valid_number(phonenumbers.parse(written))
