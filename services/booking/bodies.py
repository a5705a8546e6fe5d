"""Request bodies, taken in no further than their limit, and JSON that means one thing only."""

import json
import re
from typing import Any

import msgspec
from fastapi import Request

from shared.http import Answered
from shared.refusals import Refusal

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
"""What FHIR allows in no string, and PostgreSQL in part could not keep."""


async def read_body(request: Request, most: int) -> bytes:
    """The whole body, read as it comes. Refused with 413 as soon as it is longer than `most` bytes."""
    chunks: list[bytes] = []
    length = 0
    async for chunk in request.stream():
        length += len(chunk)
        if length > most:
            raise Answered(413, f"The body is longer than {most:,} bytes")
        chunks.append(chunk)
    return b"".join(chunks)


async def read_text(request: Request, most: int) -> str:
    """A CSV body as text; UTF-8, with or without a byte order mark."""
    require_media_type(request, "text/csv")
    body = await read_body(request, most)
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as malformed:
        line = body.count(b"\n", 0, malformed.start) + 1
        raise Refusal("The file is not UTF-8 text", code="not-utf-8", where=f"line {line}") from None


def require_media_type(request: Request, *accepted: str) -> None:
    """Refused with 415 if the request says that its body is something else, or is compressed or not in UTF-8."""
    kind, _, rest = request.headers.get("Content-Type", accepted[0]).partition(";")
    charset = re.search(r"charset\s*=\s*\"?([^\s;\"]+)", rest, re.IGNORECASE)
    if kind.strip().lower() not in accepted or (charset and charset[1].lower() not in ("utf-8", "utf8", "us-ascii")):
        raise Answered(415, f"The body must be {' or '.join(accepted)}, in UTF-8")
    if request.headers.get("Content-Encoding", "identity").strip().lower() not in ("", "identity"):
        raise Answered(415, "The body must come uncompressed, without Content-Encoding")


def parse_json(body: bytes) -> Any:
    """The value that the body writes down.

    Raises `Refusal` if it is not JSON, names a member of an object twice (one of the two would be lost), or has control
    characters in a text.
    """
    try:
        value = msgspec.json.decode(body)
        repeated = _repeats(body, value)
    except RecursionError:
        raise _not_json("it is nested too deeply") from None
    except UnicodeDecodeError:
        raise _not_json("it is not UTF-8 text") from None
    except ValueError as malformed:
        raise _not_json(str(malformed)) from None
    if repeated:
        raise _not_json("a name stands twice in one object")
    if b"\\" in body and _controlled(value):
        raise Refusal("A text has control characters, which cannot be kept", code="bad-text")
    return value


def _repeats(body: bytes, value: Any) -> bool:
    """Whether a name stands twice in any object: then writing the value down again takes fewer quotation marks.

    Only an escaped quotation mark (`\\u0022`) could hide that; for escapes there is a slower way.
    """
    if b"\\u" not in body:
        return body.count(b'"') != msgspec.json.encode(value).count(b'"')
    repeated = False

    def look(pairs: list[tuple[str, Any]]) -> None:
        nonlocal repeated
        repeated |= len(dict(pairs)) < len(pairs)

    json.loads(body, object_pairs_hook=look)
    return repeated


def _controlled(value: Any) -> bool:
    match value:
        case str():
            return _CONTROL.search(value) is not None
        case list():
            return any(map(_controlled, value))
        case dict():
            return any(map(_controlled, value)) or any(map(_controlled, value.values()))
        case _:
            return False


def _not_json(why: str) -> Refusal:
    return Refusal(f"The body is not JSON that can be read: {why}", code="bad-json")
