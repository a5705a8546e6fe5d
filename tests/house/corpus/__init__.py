"""Events as they were once stored, byte for byte, and what each of them meant: a corpus that only grows.

Each line of a service's file holds the envelope as both copies of the log keep it, and the event that was read from it.
`digests.json` holds a running SHA-256 after each line, so that no line can be changed, dropped or put between others.
After publishing an event type, a field or a choice, or retiring a type, add what is missing:

    .venv/bin/python -m tests.house.corpus
"""

from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Raw, Struct

from shared.events.base import Event
from shared.events.envelope import SERVICES, Recorded, decode, envelope_of, with_body
from shared.events.upcasting import RETIRED
from tests.house.examples import all_recorded, in_the_log, sparest

HERE = Path(__file__).parent
DIGESTS = HERE / "digests.json"


class Line(Struct, frozen=True):
    """An event as it was stored, and its meaning: every field of what it is read as, in words of JSON."""

    stored: Raw
    means: Mapping[str, Any]

    @property
    def body(self) -> bytes:
        """The bytes of both copies."""
        return bytes(self.stored)


def path_of(service: str) -> Path:
    """The file of this service's events."""
    return HERE / f"{service}.jsonl"


def lines_of(service: str) -> Sequence[Line]:
    """The corpus of one service, in the order in which it grew."""
    return [msgspec.json.decode(line, type=Line) for line in path_of(service).read_bytes().splitlines()]


def latest() -> Mapping[bytes, Line]:
    """Every event of the corpus, with the meaning that was last recorded: that of a retired type may change."""
    return {line.body: line for service in sorted(SERVICES) for line in lines_of(service)}


def running_digests(content: bytes) -> list[str]:
    """After each line, the digest of it and of all before it."""
    running, digests = sha256(), []
    for line in content.splitlines(keepends=True):
        running.update(line)
        digests.append(running.hexdigest())
    return digests


def recorded_digests() -> Mapping[str, Sequence[str]]:
    """The running digests of each service's file, as they were when its lines were added."""
    return msgspec.json.decode(DIGESTS.read_bytes(), type=dict[str, list[str]])


def meaning(recorded: Recorded) -> dict[str, Any]:
    """What is read from it: the event's name, and each of its fields, those with defaults too."""
    return {"event": type(recorded.event).__name__, **_said(recorded.event)}


def still_means(before: Any, now: Any) -> bool:
    """Whether all that was read before is read now; there may be more fields now, with their defaults."""
    if isinstance(before, dict) and isinstance(now, dict):
        return all(name in now and still_means(value, now[name]) for name, value in before.items())
    if isinstance(before, list) and isinstance(now, list):
        return len(before) == len(now) and all(map(still_means, before, now))
    return bool(before == now)


def missing(known: Mapping[bytes, Line]) -> Iterator[Line]:
    """What the corpus lacks: today's events in all their choices, and what those of retired types mean now."""
    data = {(envelope.type, bytes(envelope.data)) for envelope in map(envelope_of, known)}
    for recorded in (*all_recorded(), *map(_caused, sparest())):
        stored = with_body(recorded)
        envelope = envelope_of(stored.body)
        if (envelope.type, bytes(envelope.data)) not in data:
            data.add((envelope.type, bytes(envelope.data)))
            yield Line(Raw(stored.body), meaning(stored))
    for body, line in known.items():
        read = decode(body)
        if read.type in RETIRED and not still_means(line.means, meaning(read)):
            yield Line(line.stored, meaning(read))


def _caused(event: Event) -> Recorded:
    """In the log as a reaction is, with all that an envelope can say."""
    causes = {"causation_id": "event-6", "correlation_id": "event-1", "followed": "booking:6 rebooking:2"}
    return msgspec.structs.replace(in_the_log(event), **causes)


def _said(value: Any) -> Any:
    if isinstance(value, (Struct, Event)):
        return {name: _said(getattr(value, name)) for name in value.__struct_fields__}
    if isinstance(value, tuple):
        return [_said(item) for item in value]
    return msgspec.to_builtins(value)
