"""Which telephone numbers can be texted, written one way: E.164."""

import re

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberType

from shared.refusals import Refusal

MADE_UP = re.compile(r"\+44(7700900\d{3}|7698\d{6})")
"""Numbers that cannot be anyone's: Ofcom's drama range, and a paging range that no operator holds."""

_WRITTEN = re.compile(r"[+0-9 ().\-]+")
_PUNCTUATION = str.maketrans("", "", " ().-")


def textable(text: str, *, made_up: bool) -> str:
    """The UK mobile number `text` means, as E.164. With `made_up`, numbers that cannot be anyone's pass too.

    Raises `Refusal` for a landline, a foreign or a malformed number, and for letters among the digits. Mobiles of
    Jersey, Guernsey and the Isle of Man, which have the UK's country code, pass.
    """
    if not _WRITTEN.fullmatch(text.strip()):
        raise _refusal("has characters that no telephone number has")
    plain = text.translate(_PUNCTUATION)
    written = f"+44{plain[1:]}" if plain.startswith("0") else plain
    if made_up and MADE_UP.fullmatch(written):
        return written
    try:
        number = phonenumbers.parse(text, "GB")
    except NumberParseException:
        raise _refusal("is not a telephone number") from None
    written = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    if number.country_code != 44:
        raise _refusal("is not a UK number")
    if not phonenumbers.is_valid_number(number):
        raise _refusal("is not a number in use")
    if phonenumbers.number_type(number) is not PhoneNumberType.MOBILE:
        raise _refusal("is not a mobile number")
    return written


def is_textable(text: str, *, made_up: bool) -> bool:
    """Whether `textable` would give a number."""
    try:
        textable(text, made_up=made_up)
    except Refusal:
        return False
    return True


def _refusal(why: str) -> Refusal:
    """The number itself is left out: it identifies a patient, and refusals are logged."""
    return Refusal(f"The mobile number {why}", code="not-a-mobile", where="mobile")
