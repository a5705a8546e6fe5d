"""A message's steps: told in the one voice in which its appointment's story is, and every event has one."""

from typing import Any, get_args

import pytest

from services.notifications.steps import Step, step_of
from services.notifications.telling import words
from shared.events.notifications import (
    CallRaised,
    MessageFailed,
    NotificationsEvent,
    ReplyReceived,
    SendAttempted,
    SendDeferred,
)
from tests.house.examples import NOW, examples, in_the_log

OF_ONE = {"message": "m", "practice": "G82002"}


@pytest.mark.parametrize("event", get_args(NotificationsEvent))
def test_every_event_is_a_step_in_the_words_of_the_story(event: Any) -> None:
    for example in examples(event):
        said = step_of(in_the_log(example)).said
        assert said[0] == said[0].upper()
        assert said[1:] == words(example)[1:]


@pytest.mark.parametrize("event", get_args(NotificationsEvent))
def test_which_attempt_at_which_provider_and_why_is_lost_of_no_event(event: Any) -> None:
    example = next(examples(event))
    step = step_of(in_the_log(example))
    assert step.attempt == getattr(example, "attempt", 0)
    assert step.provider == getattr(example, "provider", "")
    assert step.reason == getattr(example, "reason", "") or step.reason == getattr(example, "detail", "")


def test_a_step_says_what_to_look_up_at_the_provider() -> None:
    tried = step_of(in_the_log(SendAttempted(**OF_ONE, attempt=2, provider="twilio", reference="m.2")))
    assert tried == Step(
        at=NOW,
        what="send-attempted",
        said="The text was given to Twilio under the reference m.2 (attempt 2)",
        attempt=2,
        provider="twilio",
        reason="",
    )
    put_off = step_of(in_the_log(SendDeferred(**OF_ONE, attempt=2, provider="twilio", reason="it answered 503")))
    assert (put_off.provider, put_off.reason) == ("twilio", "it answered 503")


def test_a_step_without_an_attempt_has_only_its_reason() -> None:
    failed = step_of(in_the_log(MessageFailed(**OF_ONE, failure="permanent", detail="no such number")))
    of_one = {**OF_ONE, "patient": "p", "appointment": "a", "outage": ""}
    called = step_of(in_the_log(CallRaised(**of_one, reason="no mobile number")))
    assert [(each.attempt, each.provider, each.reason) for each in (failed, called)] == [
        (0, "", "no such number"),
        (0, "", "no mobile number"),
    ]


def test_nobody_says_that_the_patient_wrote_what_came_from_the_telephone() -> None:
    said = {words(example) for example in examples(ReplyReceived)}
    assert not [each for each in said if "patient " in each]
