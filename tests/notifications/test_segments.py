"""Segments are counted as networks count them, at every boundary."""

import gsm0338  # type: ignore[import-untyped]
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notifications.segments import GSM, GSM_EXTENSION, Size, is_gsm, size

ESCAPE = 0x1B
gsm_texts = st.lists(st.sampled_from(sorted(GSM) + 3 * sorted(GSM_EXTENSION)), max_size=500).map("".join)
other_texts = st.text(st.characters(codec="utf-16"), max_size=300)


def gsm_parts(text: str) -> tuple[int, int]:
    """An independent count, by cutting the codec's own septets so that no escape is parted from what it escapes."""
    septets = gsm0338.Codec().encode(text)[0]
    if len(septets) <= 160:
        return len(septets), 1
    parts, start = 0, 0
    while start < len(septets):
        end = start + 153
        if end < len(septets) and septets[end - 1] == ESCAPE:
            end -= 1
        parts, start = parts + 1, end
    return len(septets), parts


def ucs2_parts(text: str) -> tuple[int, int]:
    """An independent count, by cutting UTF-16 so that no surrogate pair is parted."""
    units = memoryview(text.encode("utf-16-le")).cast("H")
    if len(units) <= 70:
        return len(units), 1
    parts, start = 0, 0
    while start < len(units):
        end = start + 67
        if end < len(units) and 0xD800 <= units[end - 1] < 0xDC00:
            end -= 1
        parts, start = parts + 1, end
    return len(units), parts


@given(gsm_texts)
def test_gsm_texts_agree_with_an_independent_count(text: str) -> None:
    assert size(text) == Size("gsm-7", *gsm_parts(text))


@given(other_texts)
def test_texts_in_other_letters_agree_with_an_independent_count(text: str) -> None:
    if not is_gsm(text):
        assert size(text) == Size("ucs-2", *ucs2_parts(text))


@given(st.characters(codec="utf-16", exclude_characters="\x1b"))
def test_the_alphabet_is_that_of_the_codec(character: str) -> None:
    """The escape itself is no character, though the codec lets it through."""
    try:
        gsm0338.Codec().encode(character)
    except UnicodeEncodeError:
        assert not is_gsm(character)
    else:
        assert is_gsm(character)


@pytest.mark.parametrize(
    ("text", "segments"),
    [
        ("", 1),
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),
        ("a" * 152 + "€" + "a" * 152, 3),
        ("€" * 80, 1),
        ("€" * 81, 2),
        ("ŵ" * 70, 1),
        ("ŵ" * 71, 2),
        ("😀" * 35, 1),
        ("😀" * 36, 2),
        ("😀" * 67, 3),
    ],
)
def test_boundaries(text: str, segments: int) -> None:
    assert size(text).segments == segments
