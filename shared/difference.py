"""How the two copies of the log can differ, in words, and what to do about each."""

from typing import NamedTuple

import asyncpg
from msgspec import Struct

from shared.events.envelope import UnreadableEvent, envelope_of
from shared.reading import Stored
from shared.relay import subject_of

MAKE_STREAM_AGAIN = (
    "Make the stream again: stop the broker, set its store aside, start it, and run `daybook log republish`"
)


class Difference(Struct, frozen=True, kw_only=True):
    """Where the copies differ, in what, and what to do. A sequence of 0: the stream does not come into it."""

    service: str
    position: int
    sequence: int
    what: str
    advice: str


class Proof(NamedTuple):
    """The stream once held the service's events up to this one: `follower` has followed it, or else it was copied."""

    service: str
    position: int
    follower: str


def restore_database(service: str) -> str:
    return f"Make the database again: `daybook log restore {service} --set-aside`"


def of_nobody(service: str, stored: Stored) -> Difference:
    """A message on a subject of no service."""
    return Difference(
        service=service,
        position=0,
        sequence=stored.sequence,
        what=f"the stream holds a message of “{service}”, which is no service",
        advice=MAKE_STREAM_AGAIN,
    )


def missing_in_database(service: str, position: int, stored: Stored | None) -> Difference:
    """The log in the database ends, or has a gap, where it should go on."""
    held = f"; the stream holds it at sequence {stored.sequence}, or a later one" if stored else ""
    return Difference(
        service=service,
        position=position,
        sequence=stored.sequence if stored else 0,
        what=f"event {position} of {service} is missing in the database{held}",
        advice=restore_database(service),
    )


def missing_sequence(sequence: int) -> Difference:
    """A hole in the stream, and no event that is known to have stood there."""
    return Difference(
        service="",
        position=0,
        sequence=sequence,
        what=f"sequence {sequence} of the stream is missing: nothing that was stored may ever go",
        advice=MAKE_STREAM_AGAIN,
    )


def cut_off(proof: Proof, reached: int, hole: int) -> Difference:
    """The stream ends before what is known to have been in it."""
    known = f"{proof.follower} has followed" if proof.follower else "there had been copied"
    return Difference(
        service=proof.service,
        position=reached + 1,
        sequence=hole,
        what=f"the stream ends at event {reached} of {proof.service}, but {known} {proof.position}: it was cut off, or "
        "is an older copy or a new one",
        advice="Run `daybook log republish`: it adds what is missing" if not hole else MAKE_STREAM_AGAIN,
    )


def version_fault(service: str, row: asyncpg.Record) -> Difference:
    """The events of one stream are not numbered as they were recorded."""
    return Difference(
        service=service,
        position=row["position"],
        sequence=0,
        what=f"event {row['position']} of {service} is version {row['version']} of {row['stream']}, which does not "
        f"follow on version {row['before']}",
        advice=f"Both copies say so: a fault of {service} or of whoever altered it. Keep both, and ask for help",
    )


def difference_of(service: str, row: asyncpg.Record, stored: Stored, hole: int) -> Difference | None:
    """What is wrong with these two, which should be one event; `hole` is the sequence that was missing before, or 0."""
    if row["body"] == stored.body:
        return row_fault(service, row, stored)
    due, here = row["position"], stored.sequence
    try:
        envelope = envelope_of(stored.body)
    except UnreadableEvent as unreadable:
        return _differs(service, due, here, f"what the stream holds is broken ({unreadable})", MAKE_STREAM_AGAIN)
    if envelope.service == service and envelope.position > due:
        at = hole or here
        what = f"the stream lacks event {due} of {service}, before sequence {here}"
        return Difference(service=service, position=due, sequence=at, what=what, advice=MAKE_STREAM_AGAIN)
    if envelope.service == service and envelope.position < due:
        what = f"the stream holds event {envelope.position} of {service} again, at sequence {here}"
        return Difference(service=service, position=due, sequence=here, what=what, advice=MAKE_STREAM_AGAIN)
    if fault := row_fault(service, row):
        return fault
    advice = f"Find out which is right. {restore_database(service)}; or: {MAKE_STREAM_AGAIN}"
    return _differs(service, due, here, "each copy holds an event, and they are not the same", advice)


def row_fault(service: str, row: asyncpg.Record, stored: Stored | None = None) -> Difference | None:
    """What is wrong with a row of the log by itself, or with the subject that its copy has in the stream."""
    position = row["position"]
    try:
        envelope = envelope_of(row["body"])
    except UnreadableEvent as unreadable:
        what = f"event {position} of {service} in the database is broken ({unreadable})"
        return _of_database(service, position, what)
    inside = (
        *(envelope.service, envelope.position, envelope.id, envelope.subject),
        *(envelope.version, envelope.type, envelope.practice, envelope.time),
    )
    outside = (service, *(row[name] for name in ("position", "id", "stream", "version", "type", "practice")))
    if inside != (*outside, row["recorded_at"]):
        wrong = [name for name, a, b in zip(_NAMES, inside, (*outside, row["recorded_at"]), strict=True) if a != b]
        what = f"event {position} of {service} in the database is not what its row says: {', '.join(wrong)} differ"
        return _of_database(service, position, what)
    if stored is not None and stored.subject != subject_of(service, row):
        what = f"the stream holds it as {stored.subject}, not as {subject_of(service, row)}"
        return _differs(service, position, stored.sequence, what, MAKE_STREAM_AGAIN)
    return None


def _of_database(service: str, position: int, what: str) -> Difference:
    return Difference(service=service, position=position, sequence=0, what=what, advice=restore_database(service))


def _differs(service: str, position: int, sequence: int, what: str, advice: str) -> Difference:
    said = f"event {position} of {service} (sequence {sequence}): {what}"
    return Difference(service=service, position=position, sequence=sequence, what=said, advice=advice)


_NAMES = ("service", "position", "id", "stream", "version", "type", "practice", "time")
