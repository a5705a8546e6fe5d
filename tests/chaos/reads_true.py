"""What clients read was so, and stays so: never older than what was known before, and never what the log has not."""

from collections import defaultdict
from collections.abc import Iterator, Mapping

from shared.events.base import Event
from shared.events.booking import (
    AppointmentAmended,
    AppointmentBooked,
    AppointmentCancelled,
    AppointmentDisplaced,
    AppointmentMoved,
    HoldReleased,
    SlotsHeld,
)
from shared.events.envelope import Recorded
from tests.chaos.evidence import Evidence, Violation
from tests.chaos.history import Read

_SHOWN: Mapping[type[Event], str] = {
    SlotsHeld: "pending",
    AppointmentBooked: "booked",
    AppointmentAmended: "booked",
    AppointmentCancelled: "cancelled",
    AppointmentMoved: "cancelled",
    AppointmentDisplaced: "waitlist",
    HoldReleased: "cancelled",
}
"""How FHIR calls what each event makes of an appointment; an amendment leaves what was booked."""


def monotone(evidence: Evidence) -> Iterator[Violation]:
    """Whoever asks after something was answered sees that, or what came after it."""
    by_appointment: defaultdict[str, list[Read]] = defaultdict(list)
    for read in evidence.history.reads:
        by_appointment[read.appointment].append(read)
    for appointment, reads in by_appointment.items():
        answered = sorted(reads, key=lambda read: read.answered)
        at, newest = 0, None
        for read in sorted(reads, key=lambda read: read.invoked):
            while at < len(answered) and answered[at].answered < read.invoked:
                newest = answered[at] if newest is None or answered[at].version > newest.version else newest
                at += 1
            # An idempotent request sent again is answered as it was the first time, and shows nothing of now.
            if newest is not None and read.version < newest.version and not read.written:
                yield Violation("A client saw something older than what was known", f"{read}, after {newest}",
                                _about(evidence, appointment))  # fmt: skip


def as_recorded(evidence: Evidence) -> Iterator[Violation]:
    """Each version that was shown is in the log, and there it made of the appointment what was shown."""
    made = {
        (recorded.event.appointment, recorded.version): recorded
        for recorded in evidence.log
        if recorded.stream.startswith("session/") and hasattr(recorded.event, "appointment")
    }
    for read in evidence.history.reads:
        if not read.version:
            continue
        recorded = made.get((read.appointment, read.version))
        if recorded is None:
            yield Violation("A client saw what the log has not", str(read), _about(evidence, read.appointment))
        elif _SHOWN.get(type(recorded.event), read.status) != read.status:
            yield Violation("A client saw it otherwise than the log has it", str(read), [recorded])


def _about(evidence: Evidence, appointment: str) -> list[Recorded]:
    return [each for each in evidence.log if getattr(each.event, "appointment", "") == appointment]
