"""Where new ids come from: derived from what caused them, or in order of time."""

import uuid_utils

_DAYBOOK = uuid_utils.UUID("6f1d3c0e-8a53-5b1e-9d2b-0d1e7a3c9b10")


def derived_id(*parts: str) -> str:
    """The same parts always give the same id, so doing a thing twice makes one thing."""
    return str(uuid_utils.uuid5(_DAYBOOK, "\x1f".join(parts)))


def new_id() -> str:
    """A fresh UUIDv7: ids made later sort later. For the edges only."""
    return str(uuid_utils.uuid7())
