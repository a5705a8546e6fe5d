"""Who a patient is, checked before it is sealed: names, birth date, telephone."""

from datetime import date

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat

from shared.phone import textable
from shared.refusals import Refusal


def name(text: str, where: str) -> str:
    """A name as it is written."""
    if not text.strip():
        raise Refusal("A patient has a name", code="missing-name", where=where)
    return text.strip()


def birth_date(text: str) -> str:
    """An ISO date."""
    try:
        parsed = date.fromisoformat(text)
    except ValueError:
        parsed = None
    if parsed is None or parsed.isoformat() != text:
        raise Refusal("A birth date is written 1958-03-31", code="bad-birth-date", where="birth_date")
    return text


def telephone(text: str, *, made_up: bool) -> tuple[str, bool]:
    """The number as E.164, and whether it can be texted. A landline cannot, but a person can ring it."""
    if not text.strip():
        return "", False
    try:
        return textable(text, made_up=made_up), True
    except Refusal:
        return _landline(text), False


def _landline(text: str) -> str:
    try:
        number = phonenumbers.parse(text, "GB")
    except NumberParseException:
        number = None
    if number is None or not phonenumbers.is_possible_number(number):
        raise Refusal("This is not a telephone number", code="bad-telephone", where="mobile")
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)
