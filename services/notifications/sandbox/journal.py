"""What the sandbox must not forget, one line each, written before anything is answered."""

import os
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct

Provider = Literal["notify", "twilio"]
"""Whose wire a message came in by, and whose number a patient wrote to."""

PROVIDERS: tuple[Provider, ...] = ("notify", "twilio")

Status = Literal["delivered", "permanent-failure", "temporary-failure", "technical-failure"]
"""How a message ends, in Notify's words; Twilio has others for the same."""


class Accepted(Struct, frozen=True, tag="accepted", omit_defaults=True):
    """A message was taken. One that is `dropped` will never arrive, and nothing more is heard of it."""

    id: str
    reference: str
    """Ours. Twilio has no place for one, so there it is the end of the address for receipts."""
    phone: str
    body: str
    template: str
    at: datetime
    dropped: bool = False
    provider: Provider = "notify"
    callback: str = ""
    """Where Twilio was asked to bring the receipts."""
    messaging_service: str = ""
    """Twilio's Messaging Service that it was sent through, if it was."""


class Settled(Struct, frozen=True, tag="settled"):
    """It came to an end."""

    id: str
    status: Status
    at: datetime


class Told(Struct, frozen=True, tag="told"):
    """The receipt for it was taken in, or will never be sent."""

    id: str


class Replied(Struct, frozen=True, tag="replied", omit_defaults=True):
    """A patient wrote."""

    id: str
    phone: str
    text: str
    at: datetime
    provider: Provider = "notify"


class Brought(Struct, frozen=True, tag="brought"):
    """What the patient wrote was taken in."""

    id: str


Entry = Accepted | Settled | Told | Replied | Brought


class Journal:
    """An append-only file. What was written survives the end of the process, however sudden."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._encoder = msgspec.json.Encoder()
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)

    def read(self) -> Iterator[Entry]:
        """Every entry so far. A line the process died in was never answered for, and is cut off."""
        decoder = msgspec.json.Decoder(Entry)
        whole = 0
        with self._path.open("rb") as lines:
            for line in lines:
                if not line.endswith(b"\n"):
                    break
                whole += len(line)
                yield decoder.decode(line)
        os.truncate(self._file, whole)

    def write(self, entry: Entry) -> None:
        os.write(self._file, self._encoder.encode(entry) + b"\n")

    def close(self) -> None:
        os.close(self._file)
