"""The NHS number, checked one way everywhere."""

from nhs_number.validate import is_valid

from shared.refusals import Refusal


def nhs_number(text: str) -> str:
    """The NHS number: ten digits, of which the last checks the others (modulus 11).

    The number itself stays out of the complaint: it may be somebody's.
    """
    if len(text) != 10 or not text.isascii() or not text.isdigit():
        raise Refusal("An NHS number is exactly ten digits, without spaces", code="bad-nhs-number", where="nhs_number")
    if text == "0000000000" or not is_valid(text):
        raise Refusal("The NHS number's check digit is wrong", code="bad-nhs-number", where="nhs_number")
    return text
