"""The log is whole: positions and versions without a gap, no event twice, and none without a cause that came before."""

from collections import defaultdict
from collections.abc import Iterator

from shared.events.base import Event
from shared.events.booking import AppointmentMoved, MoveRejected, PracticeFrozen, PracticeReopened
from shared.events.envelope import Recorded
from shared.events.notifications import MessagePlanned
from shared.events.rebooking import MoveConfirmed, MoveRefused, MoveRequested
from tests.chaos.evidence import Evidence, Violation

CAUSED: tuple[type[Event], ...] = (
    AppointmentMoved,
    MoveRejected,
    PracticeFrozen,
    PracticeReopened,
    MoveRequested,
    MoveConfirmed,
    MoveRefused,
)
"""What never happens but because of another event."""


def gapless(evidence: Evidence) -> Iterator[Violation]:
    """A service's positions, and the versions of each stream, count up by one; and no event is there twice."""
    positions: defaultdict[str, int] = defaultdict(int)
    versions: defaultdict[str, int] = defaultdict(int)
    seen: dict[str, Recorded] = {}
    for recorded in evidence.log:
        if recorded.position != positions[recorded.service] + 1:
            words = f"position {positions[recorded.service]} of {recorded.service} is followed by {recorded.position}"
            yield Violation("The log has a gap", words, [recorded])
        if recorded.version != versions[recorded.stream] + 1:
            words = f"version {versions[recorded.stream]} of {recorded.stream} is followed by {recorded.version}"
            yield Violation("A stream has a gap", words, [recorded])
        if recorded.id in seen:
            yield Violation("An event stands twice in the log", recorded.id, [seen[recorded.id], recorded])
        positions[recorded.service], versions[recorded.stream] = recorded.position, recorded.version
        seen[recorded.id] = recorded


def caused(evidence: Evidence) -> Iterator[Violation]:
    """The cause that an event names is in the log, before it; and what must have one names one."""
    for recorded in evidence.log:
        if not recorded.causation_id:
            if _must_have_a_cause(recorded.event):
                yield Violation("An effect has no cause", "it names none", [recorded])
            continue
        cause = evidence.by_id.get(recorded.causation_id)
        if cause is None:
            yield Violation("An effect has no cause", f"there is no event {recorded.causation_id}", [recorded])
        elif evidence.place[cause.id] >= evidence.place[recorded.id]:
            yield Violation("An effect stands before its cause", "in the stream", [recorded, cause])


def _must_have_a_cause(event: Event) -> bool:
    return isinstance(event, CAUSED) or (isinstance(event, MessagePlanned) and event.kind == "moved")
