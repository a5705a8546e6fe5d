"""No patient is texted twice for one change: the ledger of notifications, and the gateway's own journal beside it."""

from collections import defaultdict
from collections.abc import Iterator

from services.notifications.sandbox.journal import Accepted, Replied
from shared.events.booking import (
    AppointmentCancelled,
    AppointmentDisplaced,
    AppointmentEnteredInError,
    AppointmentMoved,
)
from shared.events.envelope import Recorded
from shared.events.notifications import (
    CallRaised,
    MessageAccepted,
    MessageFailed,
    MessagePlanned,
    ReplyReceived,
    ReplyUnmatched,
    SendAttempted,
)
from shared.ids import derived_id
from tests.chaos.evidence import Evidence, Violation

_Ending = AppointmentMoved | AppointmentCancelled | AppointmentDisplaced | AppointmentEnteredInError

TWICE, AGAINST = "A patient was texted twice for one change", "The ledger and the gateway's journal disagree"


def planned_once(evidence: Evidence) -> Iterator[Violation]:
    """Each move is told in one message, or by a call; and nothing is told of a move that was not made.

    Whoever has lost the new time as well may be told only of what came of that.
    """
    moved = {each.event.move: each for each in evidence.log if isinstance(each.event, AppointmentMoved)}
    called = {each.event.appointment for each in evidence.log if isinstance(each.event, CallRaised)}
    over = {each.event.appointment for each in evidence.log if isinstance(each.event, _Ending)}
    told: defaultdict[str, list[Recorded]] = defaultdict(list)
    for recorded in evidence.log:
        match recorded.event:
            case MessagePlanned(kind="moved", move=move):
                told[move].append(recorded)
            case _:
                pass
    for move, messages in told.items():
        if len(messages) > 1:
            yield Violation(TWICE, f"{len(messages)} messages were planned for move {move}", messages)
        if move not in moved:
            yield Violation("A patient is told of a move that was not made", move, messages)
    for move, recorded in moved.items():
        if recorded.event.textable and move not in told and recorded.event.to_appointment not in called | over:
            yield Violation("A patient was told nothing of their move", move, [recorded])


def sent_once(evidence: Evidence) -> Iterator[Violation]:
    """The gateway took each message once at most, and each that the ledger says it took."""
    taken: defaultdict[str, list[Accepted]] = defaultdict(list)
    for entry in evidence.journal:
        if isinstance(entry, Accepted):
            taken[entry.reference.rpartition(".")[0]].append(entry)
    attempted = {each.event.reference for each in evidence.log if isinstance(each.event, SendAttempted)}
    for message, entries in taken.items():
        if len(entries) > 1:
            yield Violation(TWICE, f"the gateway took message {message} {len(entries)} times", _of(evidence, message))
        for entry in entries:
            if entry.reference not in attempted:
                words = f"the gateway took {entry.reference}, and no attempt at it was recorded before"
                yield Violation(AGAINST, words, _of(evidence, message))
    yield from _in_the_journal(evidence, {entry.id for entries in taken.values() for entry in entries})


def _in_the_journal(evidence: Evidence, ids: set[str]) -> Iterator[Violation]:
    accepted: dict[str, Recorded] = {}
    for recorded in evidence.log:
        if not isinstance(recorded.event, MessageAccepted):
            continue
        if recorded.event.provider_id not in ids:
            yield Violation(AGAINST, "the gateway never took it", [recorded])
        if before := accepted.get(recorded.event.message):
            yield Violation(TWICE, "the ledger has it accepted twice", [before, recorded])
        accepted[recorded.event.message] = recorded


def settled(evidence: Evidence) -> Iterator[Violation]:
    """At rest, every message has been taken, or certainly not sent and somebody knows why."""
    ended = {each.event.message for each in evidence.log if isinstance(each.event, (MessageAccepted, MessageFailed))}
    called = {each.event.message for each in evidence.log if isinstance(each.event, CallRaised)}
    for recorded in evidence.log:
        if isinstance(recorded.event, MessagePlanned) and recorded.event.message not in ended | called:
            yield Violation("A message was planned and never came to an end", recorded.event.message,
                            _of(evidence, recorded.event.message))  # fmt: skip


def replies_taken_in_once(evidence: Evidence) -> Iterator[Violation]:
    """What a patient wrote is in the log once at most, and nothing that nobody wrote."""
    written = {
        derived_id("reply", entry.provider, entry.id) for entry in evidence.journal if isinstance(entry, Replied)
    }
    found: defaultdict[str, list[Recorded]] = defaultdict(list)
    for recorded in evidence.log:
        match recorded.event:
            case ReplyReceived(reply=reply, read_by="") | ReplyUnmatched(reply=reply):
                found[reply].append(recorded)
            case _:
                pass
    for reply, events in found.items():
        if len(events) > 1:
            yield Violation("A reply was taken in twice", reply, events)
        if reply not in written:
            yield Violation("A reply was taken in that nobody wrote", reply, events)


def _of(evidence: Evidence, message: str) -> list[Recorded]:
    return [each for each in evidence.log if getattr(each.event, "message", "") == message]
