"""Every acknowledged command is in the log once, every unknown one at most once, every refused one not at all."""

from collections.abc import Iterator

from shared.events.base import Event
from shared.events.booking import (
    AppointmentAmended,
    AppointmentBooked,
    AppointmentCancelled,
    SessionPublished,
    SlotsAdded,
    SlotsHeld,
    SlotsWithdrawn,
)
from shared.events.rebooking import OutageDeclared, OutageEnded
from tests.chaos.effects import explanations
from tests.chaos.evidence import Evidence, Violation
from tests.chaos.history import Command

ASKED_FOR: tuple[type[Event], ...] = (
    AppointmentBooked,
    AppointmentAmended,
    AppointmentCancelled,
    SlotsHeld,
    SessionPublished,
    SlotsAdded,
    SlotsWithdrawn,
    OutageDeclared,
    OutageEnded,
)
"""What only a client's command, or another event, brings about."""


def acknowledged_once(evidence: Evidence) -> Iterator[Violation]:
    """The effect of each command is there as often as its outcome says."""
    for command in evidence.history.commands:
        if not command.effect:
            continue
        shown = evidence.effects.get(command.effect, [])
        if wrong := _wrong(command, len(shown)):
            yield Violation(wrong, f"{command}; the log has it {len(shown)} times", shown)


def _wrong(command: Command, found: int) -> str:
    match command.outcome:
        case "done" if found < command.least:
            return "An acknowledged command was lost"
        case "done" if found > command.most:
            return "An acknowledged command was carried out twice"
        case "unknown" if found > command.most:
            return "A command of unknown outcome was carried out twice"
        case "refused" | "unsent" if found:
            return "A refused command was carried out"
        case _:
            return ""


def nothing_unasked(evidence: Evidence) -> Iterator[Violation]:
    """What has no cause in the log was asked for by a client."""
    asked = {command.effect for command in evidence.history.commands}
    for recorded in evidence.log:
        if recorded.causation_id or recorded.position <= evidence.before.get(recorded.service, 0):
            continue
        if isinstance(recorded.event, ASKED_FOR) and asked.isdisjoint(explanations(recorded, evidence.descriptions)):
            yield Violation("Something happened that nobody asked for", "no command explains it", [recorded])


def one_order(evidence: Evidence) -> Iterator[Violation]:
    """What was done before something else was asked stands before it in the service's log.

    Who went away without an answer does not know how long theirs was under way: it may come after what they asked next.
    """
    shown = [
        (found[0], command)
        for command in evidence.history.commands
        if command.outcome in ("done", "unknown") and (found := evidence.effects.get(command.effect))
    ]
    shown.sort(key=lambda pair: (pair[0].service, pair[0].position))
    latest: dict[str, tuple[float, Command]] = {}
    for recorded, command in shown:
        invoked, earlier = latest.get(recorded.service, (0.0, command))
        if command.outcome == "done" and command.answered < invoked:
            words = f"{command}, was answered before “{earlier}” was asked, and stands behind it"
            yield Violation("The log is not in the order in which clients saw it", words, [recorded])
        if command.invoked > invoked:
            latest[recorded.service] = (command.invoked, command)
