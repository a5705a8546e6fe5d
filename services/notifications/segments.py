"""How many parts a text message is sent, and charged, in: GSM 03.38 septets, or UTF-16 where one letter needs it."""

from collections.abc import Iterable
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class Size:
    """What a text comes to: its coding, its units (septets or UTF-16 units), and its parts."""

    coding: Literal["gsm-7", "ucs-2"]
    units: int
    segments: int


def size(text: str) -> Size:
    """The size of `text` as networks count it. An empty text is still one part."""
    if is_gsm(text):
        widths = [2 if character in GSM_EXTENSION else 1 for character in text]
        return Size("gsm-7", sum(widths), _parts(widths, GSM_ALONE, GSM_PART))
    widths = [2 if ord(character) > 0xFFFF else 1 for character in text]
    return Size("ucs-2", sum(widths), _parts(widths, UCS2_ALONE, UCS2_PART))


def is_gsm(text: str) -> bool:
    """Whether every character of `text` has a place in the GSM alphabet or its extension."""
    return all(character in GSM or character in GSM_EXTENSION for character in text)


def _parts(widths: Iterable[int], alone: int, part: int) -> int:
    """Fill part after part; what does not fit whole begins the next. Dividing would split a pair at a boundary."""
    total, parts, used = 0, 1, 0
    for width in widths:
        total += width
        if used + width > part:
            parts, used = parts + 1, 0
        used += width
    return 1 if total <= alone else parts
