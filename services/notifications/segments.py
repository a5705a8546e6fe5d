"""How many parts a text message is sent, and charged, in: GSM 03.38 septets, or UTF-16 where one letter needs it."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

GSM = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
"""One septet each."""

GSM_EXTENSION = frozenset("\f^{}\\[~]|€")
"""An escape and a septet, which must not fall on two sides of a boundary."""

GSM_ALONE, GSM_PART = 160, 153
UCS2_ALONE, UCS2_PART = 70, 67

Coding = Literal["gsm-7", "ucs-2"]

_EVERY_GSM = GSM | GSM_EXTENSION


@dataclass(frozen=True, slots=True)
class Size:
    """What a text comes to: its coding, its units (septets or UTF-16 units), and its parts."""

    coding: Coding
    units: int
    segments: int


def size(text: str) -> Size:
    """The size of `text` as networks count it. An empty text is still one part."""
    if is_gsm(text):
        return _size("gsm-7", [2 if character in GSM_EXTENSION else 1 for character in text], GSM_ALONE, GSM_PART)
    return _size("ucs-2", [2 if ord(character) > 0xFFFF else 1 for character in text], UCS2_ALONE, UCS2_PART)


def is_gsm(text: str) -> bool:
    """Whether every character of `text` has a place in the GSM alphabet or its extension."""
    return _EVERY_GSM.issuperset(text)


def cost(segments: int, price: Decimal) -> Decimal:
    """What so many parts cost, in pence without VAT, where one costs `price`."""
    return segments * price


def _size(coding: Coding, widths: Sequence[int], alone: int, part: int) -> Size:
    units = sum(widths)
    return Size(coding, units, 1 if units <= alone else _parts(widths, part))


def _parts(widths: Sequence[int], part: int) -> int:
    """Fill part after part; what does not fit whole begins the next. Dividing would split a pair at a boundary."""
    parts, used = 1, 0
    for width in widths:
        if used + width > part:
            parts, used = parts + 1, 0
        used += width
    return parts
