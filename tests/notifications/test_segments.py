"""Segments are counted as networks count them, at every boundary, and as two others count them who do not know us.

`gsm0338` is a codec, whose septets are cut here; `smsutil` cuts texts itself. It takes the escape character for a
letter of the alphabet, which it is not: a text with one is the only kind for which it is not asked.
"""

from decimal import Decimal

import gsm0338  # type: ignore[import-untyped]
import pytest
import smsutil  # type: ignore[import-untyped]
from hypothesis import given
from hypothesis import strategies as st

from services.notifications.segments import GSM, GSM_EXTENSION, Size, cost, is_gsm, size

ESCAPE = 0x1B
gsm_texts = st.lists(st.sampled_from(sorted(GSM) + 3 * sorted(GSM_EXTENSION)), max_size=500).map("".join)
other_texts = st.text(st.characters(codec="utf-16"), max_size=300)
names = st.one_of(
    st.sampled_from(["Zoë", "Siân", "O\u2019Brien", "Łukasz", "李", "Ŵyn", "Sam 😀", "[Sam]", "€"]),
    st.text(max_size=30),
)
real_texts = st.builds(
    "{}, {} has moved your appointment to Tuesday 23 July 2024 at 9:40am.{}Reply 2 to change it, 3 to cancel.{}".format,
    names.filter(lambda name: "\x1b" not in name and name.isprintable()),
    st.sampled_from(["Harbour Surgery", "St James\u2019 Surgery \u2013 Dover", "Tŷ\u2019r Ŵyn", "Surgery {A} ^ [B]"]),
    st.sampled_from(["\n", " ", "\r\n", "\f"]),
    st.integers(0, 400).map("x".__mul__),
)


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


def cut_by_smsutil(text: str) -> int:
    """How many parts the other library cuts the text into."""
    return len(smsutil.split(text).parts)


@given(gsm_texts)
def test_gsm_texts_agree_with_an_independent_count(text: str) -> None:
    assert size(text) == Size("gsm-7", *gsm_parts(text))
    assert size(text).segments == cut_by_smsutil(text)


@given(other_texts)
def test_texts_in_other_letters_agree_with_an_independent_count(text: str) -> None:
    if not is_gsm(text):
        assert size(text) == Size("ucs-2", *ucs2_parts(text))
        if "\x1b" not in text:
            assert size(text).segments == cut_by_smsutil(text)


@given(real_texts)
def test_texts_such_as_patients_get_agree_with_both(text: str) -> None:
    counted = ("gsm-7", *gsm_parts(text)) if is_gsm(text) else ("ucs-2", *ucs2_parts(text))
    assert (size(text).coding, size(text).units, size(text).segments) == counted
    assert size(text).segments == cut_by_smsutil(text)


def test_where_smsutil_differs_it_takes_an_escape_for_a_letter() -> None:
    """No telephone shows it, so it is sent as it is, in UTF-16: 71 of them are too many for one part."""
    text = "\x1b" * 71
    assert (size(text).coding, size(text).segments) == ("ucs-2", 2)
    assert cut_by_smsutil(text) == 1


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
    assert cut_by_smsutil(text) == segments


def test_a_county_costs_what_its_segments_cost_to_the_tenth_of_a_penny() -> None:
    assert cost(34_000, Decimal("2.4")) == Decimal(81_600)
    assert cost(3, Decimal("2.4")) == Decimal("7.2")
