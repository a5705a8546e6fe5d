"""JSON bodies: what is read means one thing only, and whatever else was sent is refused, never fatal."""

import pytest

from services.booking.bodies import parse_json
from shared.refusals import Refusal


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b'{"a": "\\"", "b": "\\"x"}', {"a": '"', "b": '"x'}),
        (b'{"a": {"b": 1}, "b": [{"a": 2}, {"a": 3}]}', {"a": {"b": 1}, "b": [{"a": 2}, {"a": 3}]}),
        (b'"\\ud83d\\ude00 \\u0041\\n"', "😀 A\n"),
        (b"123456789012345678901234567890", 123456789012345678901234567890),
    ],
)
def test_what_was_written_is_read(body: bytes, value: object) -> None:
    assert parse_json(body) == value


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"NaN",
        b"Infinity",
        b"[1e999]",
        b"1" * 6000,
        b"\xef\xbb\xbf{}",
        b'"\xff"',
        b'"\\ud800"',
        b"[" * 100_000,
        b'{"a":' * 100_000,
    ],
)
def test_what_is_not_json_is_refused(body: bytes) -> None:
    with pytest.raises(Refusal) as refused:
        parse_json(body)
    assert refused.value.code == "bad-json"


@pytest.mark.parametrize(
    "body",
    [
        b'{"a": 1, "a": 2}',
        b'{"x": [{"a": 1, "b": "\\u0041", "a": 2}]}',
        b'{"a": 1, "\\u0061": 2}',
        b'{"a": "\\u0022\\u0022", "b": 1, "b": 2}',
    ],
)
def test_a_name_that_stands_twice_would_lose_one_of_the_two(body: bytes) -> None:
    with pytest.raises(Refusal, match="twice"):
        parse_json(body)


@pytest.mark.parametrize("body", [b'"\\u0000"', b'{"a": ["x\\u0000y"]}', b'{"\\u0000": 1}', b'"\\b"'])
def test_control_characters_are_refused(body: bytes) -> None:
    with pytest.raises(Refusal) as refused:
        parse_json(body)
    assert refused.value.code == "bad-text"
