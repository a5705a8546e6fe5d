"""A made-up run in which all is well: a few events, who asked for them, and what the gateway kept."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from services.notifications.sandbox.journal import Accepted, Entry, Replied
from shared.events.base import Event
from shared.events.booking import (
    AppointmentBooked,
    AppointmentCancelled,
    AppointmentMoved,
    Patient,
    PracticeFrozen,
    PracticeReopened,
    SessionPublished,
    Slot,
)
from shared.events.envelope import Recorded
from shared.events.notifications import MessageAccepted, MessagePlanned, ReplyReceived, SendAttempted
from shared.events.rebooking import MoveConfirmed, MoveRequested, OutageDeclared, OutageEnded
from shared.ids import derived_id
from tests.chaos import effects
from tests.chaos.evidence import Evidence
from tests.chaos.history import Command, History, Outcome, Read

NOON = datetime(2024, 7, 22, 11, 0, tzinfo=UTC)
ANN = Patient(id="ann", sealed="")


@dataclass(frozen=True, slots=True)
class Draft:
    """An event that is yet to have its place. `cause` is the id of another."""

    id: str
    event: Event
    cause: str = ""


@dataclass(slots=True)
class Story:
    """A run as it can still be altered: events in order, commands and reads by a name each, the journal."""

    drafts: list[Draft]
    commands: dict[str, Command] = field(default_factory=dict)
    reads: dict[str, Read] = field(default_factory=dict)
    journal: list[Entry] = field(default_factory=list)

    def evidence(self) -> Evidence:
        """The drafts in their places, one after the other."""
        positions: Counter[str] = Counter()
        versions: Counter[str] = Counter()
        log = []
        for draft in self.drafts:
            service, stream = draft.event.service, draft.event.stream
            positions[service] += 1
            versions[stream] += 1
            log.append(_recorded(draft, positions[service], versions[stream]))
        history = History(list(self.commands.values()), list(self.reads.values()))
        return Evidence(log=log, history=history, journal=self.journal)

    def place(self, id: str) -> int:
        return next(place for place, draft in enumerate(self.drafts) if draft.id == id)

    def event(self, id: str) -> Any:
        return self.drafts[self.place(id)].event

    def drop(self, id: str) -> None:
        del self.drafts[self.place(id)]

    def after(self, id: str, *drafts: Draft) -> None:
        """More happened there."""
        place = self.place(id) + 1
        self.drafts[place:place] = drafts

    def ask(self, name: str, effect: str, invoked: float, answered: float, outcome: Outcome = "done") -> None:
        """A command of a client, under its name."""
        self.commands[name] = Command(
            "client", name, effect, invoked, answered=answered, outcome=outcome, tries=1, said=outcome
        )


def a_run() -> Story:
    """A session is published; an appointment is booked, read and moved, told of and answered; another is cancelled."""
    story = Story([*_diary(), *_recovery(), *_messages()])
    story.ask("publish", effects.published("s"), 1, 2)
    story.ask("book first", effects.booking("1"), 3, 4)
    story.ask("book second", effects.booking("2"), 5, 6)
    story.ask("cancel second", effects.cancelled("second"), 7, 8)
    story.ask("declare", effects.declared("Friday"), 9, 10)
    story.ask("end", effects.ended("outage"), 11, 12)
    story.ask("answer", effects.replied(derived_id("reply", "notify", "reply-1")), 20, 21)
    story.reads["first"] = Read("client", "first", 2, "booked", 3, 4, written=True)
    story.reads["again"] = Read("client", "first", 2, "booked", 5, 5.5)
    story.reads["second"] = Read("client", "second", 4, "cancelled", 9, 9.5)
    story.journal += [
        Accepted("provider-1", "message.1", "+447700900123", "text", "template", NOON),
        Replied("reply-1", "+447700900123", "1", NOON),
    ]
    return story


def booked(appointment: str, number: str, slot: str, **more: Any) -> AppointmentBooked:
    """An appointment at the one practice, in its one session."""
    usual: dict[str, Any] = {"booked_by": "A1", "identifier": f"{effects.OURS}|{number}" if number else ""}
    return AppointmentBooked(
        session="s",
        practice="A1",
        appointment=appointment,
        slots=(slot,),
        start=NOON,
        minutes=10,
        patient=ANN,
        details="",
        textable=True,
        booked_at=NOON,
        **usual | more,
    )


def _diary() -> Sequence[Draft]:
    slots = tuple(Slot(id=id, start=NOON, minutes=10) for id in ("nine", "ten", "eleven"))
    published = SessionPublished(
        session="s", practice="A1", name="s", clinician="Dr Jones", clinician_role="", location="", slots=slots
    )
    cancelled = AppointmentCancelled(
        session="s",
        practice="A1",
        appointment="second",
        cancelled_by="patient",
        reason=effects.CANCELLED_FOR,
        slots=("ten",),
    )
    return [
        Draft("published", published),
        Draft("first", booked("first", "1", "nine")),
        Draft("second", booked("second", "2", "ten")),
        Draft("cancelled", cancelled),
    ]


def _recovery() -> Sequence[Draft]:
    requested = MoveRequested(
        outage="outage",
        practice="A1",
        move="move",
        appointment="first",
        patient="ann",
        from_session="s",
        to_session="s",
        to_slot="ten",
        to_start=NOON,
    )
    moved = AppointmentMoved(
        session="s",
        practice="A1",
        appointment="first",
        start=NOON,
        patient="ann",
        move="move",
        outage="outage",
        to_appointment="third",
        to_session="s",
        to_slots=("ten",),
        to_start=NOON,
        to_minutes=10,
        textable=True,
        slots=("nine",),
    )
    confirmed = MoveConfirmed(
        outage="outage",
        practice="A1",
        move="move",
        appointment="first",
        patient="ann",
        to_appointment="third",
        to_start=NOON,
    )
    third = booked("third", "", "ten", move="move", replaces="first", booked_by="rebooking")
    return [
        Draft("declared", OutageDeclared(outage="outage", name="Friday", practices=("A1",), started_at=NOON)),
        Draft("frozen", PracticeFrozen(practice="A1", outage="outage"), "declared"),
        Draft("ended", OutageEnded(outage="outage", practices=("A1",), ended_at=NOON)),
        Draft("reopened", PracticeReopened(practice="A1", outage="outage"), "ended"),
        Draft("requested", requested, "ended"),
        Draft("third", third, "requested"),
        Draft("moved", moved, "requested"),
        Draft("confirmed", confirmed, "moved"),
    ]


def _messages() -> Sequence[Draft]:
    planned = MessagePlanned(
        message="message",
        practice="A1",
        kind="moved",
        patient="ann",
        appointment="third",
        move="move",
        outage="outage",
        number="number",
        sealed="",
        segments=1,
        appointment_start=NOON,
    )
    attempted = SendAttempted(message="message", practice="A1", attempt=1, provider="notify", reference="message.1")
    accepted = MessageAccepted(
        message="message",
        practice="A1",
        attempt=1,
        provider="notify",
        reference="message.1",
        provider_id="provider-1",
    )
    reply = ReplyReceived(
        message="message",
        practice="A1",
        reply=derived_id("reply", "notify", "reply-1"),
        patient="ann",
        appointment="third",
        move="move",
        outage="outage",
        answer="keep",
        sealed="",
    )
    return [
        Draft("planned", planned, "moved"),
        Draft("attempted", attempted),
        Draft("accepted", accepted),
        Draft("reply", reply),
    ]


def _recorded(draft: Draft, position: int, version: int) -> Recorded:
    return Recorded(
        position=position,
        version=version,
        id=draft.id,
        service=draft.event.service,
        stream=draft.event.stream,
        practice=draft.event.at_practice,
        recorded_at=NOON,
        occurred_at=NOON,
        event=draft.event,
        causation_id=draft.cause,
    )
