"""Ids as each provider makes them: a UUID, or `SM` and 32 hexadecimal digits."""

from services.notifications.sandbox.journal import Provider
from shared.ids import derived_id, new_id


def message_id(provider: Provider) -> str:
    """A fresh one."""
    return _as_written_by(provider, new_id())


def another_id(provider: Provider, id: str) -> str:
    """A second one for the same text, always the same."""
    return _as_written_by(provider, derived_id("another", id))


def _as_written_by(provider: Provider, uuid: str) -> str:
    match provider:
        case "notify":
            return uuid
        case "twilio":
            return f"SM{uuid.replace('-', '')}"
