"""Cursors of the change feed: a place in this log, with a check by which another log's is known."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error
from hashlib import sha256
from typing import NamedTuple

from shared.refusals import Refusal

_PLACE, _CHECK = 8, 7
"""Bytes."""


class Cursor(NamedTuple):
    """After this position, where the event with this check stands; 0 is before the first."""

    position: int
    check: bytes

    def fits(self, event_id: str) -> bool:
        """Whether the event at its position is the one it was made of."""
        return self.check == _check(event_id)

    def __str__(self) -> str:
        return urlsafe_b64encode(self.position.to_bytes(_PLACE) + self.check).decode()


BEGINNING = Cursor(0, bytes(_CHECK))


def cursor_at(position: int, event_id: str) -> Cursor:
    """The cursor after this event."""
    return Cursor(position, _check(event_id))


def read_cursor(text: str, where: str) -> Cursor:
    """The cursor as the feed gave it. Raises `Refusal` for what it never gave."""
    try:
        written = urlsafe_b64decode(text.encode("ascii"))
    except (UnicodeEncodeError, Error):
        written = b""
    cursor = Cursor(int.from_bytes(written[:_PLACE]), written[_PLACE:])
    if len(written) != _PLACE + _CHECK or str(cursor) != text or (cursor.position == 0 and cursor != BEGINNING):
        raise Refusal(
            "This is not a cursor of the change feed: send one that a page, or an event's id, gave you, just as it was",
            code="bad-cursor",
            where=where,
        )
    return cursor


def _check(event_id: str) -> bytes:
    return sha256(event_id.encode()).digest()[:_CHECK]
