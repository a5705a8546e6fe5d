"""The checker finds each violation that is planted in a made-up run, and nothing in a run where all is well."""

from collections.abc import Callable
from dataclasses import replace as changed

import pytest
from msgspec.structs import replace

from services.notifications.sandbox.journal import Accepted
from shared.events.booking import AppointmentDisplaced, PracticeFrozen, SlotsWithdrawn
from shared.ids import derived_id
from tests.chaos import effects
from tests.chaos.checking import violations
from tests.chaos.commands_kept import one_order
from tests.chaos.evidence import Evidence, Violation
from tests.chaos.history import Read
from tests.chaos.made_up import NOON, Draft, Story, a_run, booked
from tests.chaos.messages_once import planned_once

Plant = Callable[[Story], None]


def test_of_a_run_where_all_is_well_nothing_is_said() -> None:
    assert violations(a_run().evidence()) == []


def lost(story: Story) -> None:
    story.drop("second")
    story.drop("cancelled")


def twice(story: Story) -> None:
    story.after("first", Draft("again", booked("fourth", "1", "eleven")))


def unknown_twice(story: Story) -> None:
    twice(story)
    story.commands["book first"].outcome = "unknown"


def refused_and_done(story: Story) -> None:
    story.commands["book first"].outcome = "refused"


def unsent_and_done(story: Story) -> None:
    story.commands["book first"].outcome = "unsent"


def unasked(story: Story) -> None:
    del story.commands["book second"]


def other_order(story: Story) -> None:
    story.drafts[1], story.drafts[2] = story.drafts[2], story.drafts[1]


def slot_twice(story: Story) -> None:
    story.after("first", Draft("fourth", booked("fourth", "4", "nine")))
    story.ask("book fourth", effects.booking("4"), 4.1, 4.2)


def no_such_slot(story: Story) -> None:
    story.after("first", Draft("fourth", booked("fourth", "4", "never")))
    story.ask("book fourth", effects.booking("4"), 4.1, 4.2)


def withdrawn_under_somebody(story: Story) -> None:
    story.after("moved", Draft("gone", SlotsWithdrawn(session="s", practice="A1", slots=("ten",), reason="ill")))
    story.ask("withdraw", effects.withdrawn("ill"), 13, 14)


def booked_while_frozen(story: Story) -> None:
    story.after("frozen", Draft("fourth", booked("fourth", "4", "eleven")))
    story.ask("book fourth", effects.booking("4"), 10.1, 10.2)


def moved_twice(story: Story) -> None:
    story.after("moved", Draft("moved again", story.event("moved"), "requested"))


def never_moved(story: Story) -> None:
    for id in ("third", "moved", "confirmed", "planned", "attempted", "accepted", "reply"):
        story.drop(id)


def moved_unasked(story: Story) -> None:
    story.drop("requested")
    for id in ("third", "moved"):
        story.drafts[story.place(id)] = changed(story.drafts[story.place(id)], cause="ended")


def no_cause(story: Story) -> None:
    story.drafts[story.place("frozen")] = Draft("frozen", PracticeFrozen(practice="A1", outage="outage"))


def unknown_cause(story: Story) -> None:
    story.drafts[story.place("frozen")] = changed(story.drafts[story.place("frozen")], cause="nobody")


def before_its_cause(story: Story) -> None:
    frozen = story.drafts.pop(story.place("frozen"))
    story.drafts.insert(story.place("declared"), frozen)


def same_event_twice(story: Story) -> None:
    story.after("attempted", story.drafts[story.place("attempted")])


def read_what_is_not(story: Story) -> None:
    story.reads["dirty"] = Read("client", "first", 9, "booked", 5, 6)


def read_otherwise(story: Story) -> None:
    story.reads["other"] = Read("client", "first", 2, "cancelled", 5, 6)


def read_older(story: Story) -> None:
    story.reads["before"] = Read("client", "second", 3, "booked", 10, 11)


def read_nothing(story: Story) -> None:
    story.reads["nothing"] = Read("client", "first", 0, "", 5, 6)


def planned_twice(story: Story) -> None:
    again = replace(story.event("planned"), message="another")
    story.after("planned", Draft("planned again", again, "moved"))


def planned_for_nothing(story: Story) -> None:
    again = replace(story.event("planned"), message="another", move="never")
    story.after("planned", Draft("planned again", again, "moved"))


def told_nothing(story: Story) -> None:
    for id in ("planned", "attempted", "accepted", "reply"):
        story.drop(id)


def taken_twice(story: Story) -> None:
    (taken, *_) = story.journal
    assert isinstance(taken, Accepted)
    story.journal.append(replace(taken, id="provider-2", reference="message.2"))
    again = replace(story.event("attempted"), attempt=2, reference="message.2")
    story.after("attempted", Draft("attempted again", again))


def taken_without_a_word(story: Story) -> None:
    story.drop("attempted")


def never_taken(story: Story) -> None:
    del story.journal[0]


def accepted_twice(story: Story) -> None:
    story.after("accepted", Draft("accepted again", story.event("accepted")))


def never_ended(story: Story) -> None:
    story.drop("accepted")


def reply_twice(story: Story) -> None:
    story.after("reply", Draft("reply again", story.event("reply")))
    story.commands["answer"].most = 2


def reply_of_nobody(story: Story) -> None:
    another = replace(story.event("reply"), reply=derived_id("reply", "notify", "never"))
    story.after("reply", Draft("another reply", another))


PLANTED: tuple[tuple[Plant, str], ...] = (
    (lost, "An acknowledged command was lost"),
    (twice, "An acknowledged command was carried out twice"),
    (unknown_twice, "A command of unknown outcome was carried out twice"),
    (refused_and_done, "A refused command was carried out"),
    (unsent_and_done, "A refused command was carried out"),
    (unasked, "Something happened that nobody asked for"),
    (other_order, "The log is not in the order in which clients saw it"),
    (slot_twice, "A slot is held twice"),
    (no_such_slot, "A slot is taken that is not in the diary"),
    (withdrawn_under_somebody, "A slot is taken that is not in the diary"),
    (booked_while_frozen, "A frozen practice took a new appointment"),
    (moved_twice, "A move was made twice"),
    (never_moved, "A move came to nothing"),
    (moved_unasked, "A move was made that nobody asked for"),
    (no_cause, "An effect has no cause"),
    (unknown_cause, "An effect has no cause"),
    (before_its_cause, "An effect stands before its cause"),
    (same_event_twice, "An event stands twice in the log"),
    (read_what_is_not, "A client saw what the log has not"),
    (read_otherwise, "A client saw it otherwise than the log has it"),
    (read_older, "A client saw something older than what was known"),
    (read_nothing, "A client saw something older than what was known"),
    (planned_twice, "A patient was texted twice for one change"),
    (planned_for_nothing, "A patient is told of a move that was not made"),
    (told_nothing, "A patient was told nothing of their move"),
    (taken_twice, "A patient was texted twice for one change"),
    (taken_without_a_word, "The ledger and the gateway's journal disagree"),
    (never_taken, "The ledger and the gateway's journal disagree"),
    (accepted_twice, "A patient was texted twice for one change"),
    (never_ended, "A message was planned and never came to an end"),
    (reply_twice, "A reply was taken in twice"),
    (reply_of_nobody, "A reply was taken in that nobody wrote"),
)


@pytest.mark.parametrize(("plant", "promise"), PLANTED, ids=[plant.__name__ for plant, _ in PLANTED])
def test_a_planted_violation_is_found(plant: Plant, promise: str) -> None:
    story = a_run()
    plant(story)
    assert promise in {violation.promise for violation in violations(story.evidence())}


def test_a_gap_in_the_log_and_one_in_a_stream_are_found() -> None:
    evidence = a_run().evidence()
    first, *rest = evidence.log
    gap = Evidence(log=[first, *rest[1:]], history=evidence.history, journal=evidence.journal)
    stream = Evidence(log=[replace(first, version=2), *rest], history=evidence.history, journal=evidence.journal)

    assert "The log has a gap" in {violation.promise for violation in violations(gap)}
    assert "A stream has a gap" in {violation.promise for violation in violations(stream)}


def test_an_unknown_command_may_have_happened_or_not() -> None:
    happened, did_not = a_run(), a_run()
    for story in (happened, did_not):
        story.commands["book second"].outcome = "unknown"
        story.commands["cancel second"].outcome = "unknown"
    del did_not.reads["second"]
    lost(did_not)
    did_not.reads["first"] = changed(did_not.reads["first"], version=2)

    assert violations(happened.evidence()) == []
    assert violations(did_not.evidence()) == []


def test_an_unknown_command_may_come_late() -> None:
    story = a_run()
    other_order(story)
    for command in story.commands.values():
        command.outcome = "unknown"

    assert list(one_order(story.evidence())) == []


def test_who_has_lost_the_new_time_as_well_need_not_be_told_of_it() -> None:
    story = a_run()
    told_nothing(story)
    withdrawn = AppointmentDisplaced(
        session="s",
        practice="A1",
        appointment="third",
        patient="ann",
        start=NOON,
        minutes=10,
        withdrawal="withdrawal",
        reason="",
        slots=("ten",),
    )
    story.after("confirmed", Draft("withdrawn", withdrawn))

    assert list(planned_once(story.evidence())) == []


def test_a_violation_is_told_in_words_with_its_events_and_without_what_is_sealed() -> None:
    story = a_run()
    slot_twice(story)
    (told,) = [str(each) for each in violations(story.evidence()) if each.promise == "A slot is held twice"]
    assert told.startswith("A slot is held twice: nine: first has it, and fourth takes it\n    booking 2, session/s")
    assert "AppointmentBooked(session='s', practice='A1', appointment='fourth', slots=('nine',)" in told
    assert "ann" not in told


def test_a_violation_without_events_is_its_sentence() -> None:
    assert str(Violation("It did not converge", "booking does not answer")) == (
        "It did not converge: booking does not answer"
    )
