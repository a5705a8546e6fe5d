"""Who a patient is, checked before it is sealed: names, birth date, telephone."""

from datetime import date

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat

from shared.phone import textable
from shared.refusals import Refusal

LONGEST_NAME = 100


def name(text: str, where: str) -> str:
    """A name as it is written."""
    if not text.strip():
        raise Refusal("A patient has a name", code="missing-name", where=where)
    if len(text) > LONGEST_NAME:
        raise Refusal(f"The name has {len(text)} characters; {LONGEST_NAME} is the most", code="too-long", where=where)
    return text.strip()


def birth_date(text: str, where: str = "birth_date") -> str:
    """An ISO date."""
    try:
        parsed = date.fromisoformat(text)
    except ValueError:
        parsed = None
    if parsed is None or parsed.isoformat() != text:
        raise Refusal("A birth date is written 1958-03-31", code="bad-birth-date", where=where)
    return text


def telephone(text: str, *, made_up: bool, where: str = "mobile") -> tuple[str, bool]:
    """The number as E.164, and whether it can be texted. A landline cannot, but a person can ring it."""
    if not text.strip():
        return "", False
    try:
        return textable(text, made_up=made_up), True
    except Refusal:
        return _landline(text, where), False


def _landline(text: str, where: str) -> str:
    try:
        number = phonenumbers.parse(text, "GB")
    except NumberParseException:
        number = None
    if number is None or number.extension or not phonenumbers.is_possible_number(number):
        raise Refusal("This is not a telephone number", code="bad-telephone", where=where)
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)
