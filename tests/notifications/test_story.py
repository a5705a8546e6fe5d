"""Notifications' part of an appointment's story: what was sent about it and answered, without a number or a word."""

from typing import Any, get_args

import pytest

from services.notifications.commands import RecordAccepted, RecordReceipt
from services.notifications.telling import words
from shared.events.notifications import NotificationsEvent
from tests.harness import County
from tests.house.examples import examples
from tests.notifications.quiet import LETTER, MOBILE, A, quiet


@pytest.mark.parametrize("event", get_args(NotificationsEvent))
def test_every_event_is_told_in_words(event: Any) -> None:
    for example in examples(event):
        assert words(example)
        assert not words(example).endswith(".")


async def test_a_story_tells_each_text_about_it_and_no_others(county: County) -> None:
    async with quiet(county) as night:
        written = await night.tried(await night.write("an outage"))
        other = await night.write("an outage")
        await night.do(RecordAccepted(written.message, 1, "notify", "at notify"))
        await night.do(RecordReceipt(written.message, 1, "notify", "at notify", "delivered"))
        await night.answered(written, "reply-1", "another-time", "2")
        await night.unmatched("reply-2", "What?", other)
        story = await night.get(f"/v1/appointments/{written.about.appointment}/story")
        message = await night.get(f"/v1/messages/{written.message}")
        others = await night.get(f"/v1/appointments/{other.about.appointment}/story")
        nobodys = await night.get("/v1/appointments/none/story")
        practices = await night.ask("GET", f"/v1/appointments/{written.about.appointment}/story", practice=A)
    assert [each["words"] for each in story["events"]] == [
        "a text about the new time was written, in 1 segment",
        f"the text was given to GOV.UK Notify under the reference {written.message}.1 (attempt 1)",
        "GOV.UK Notify took the text, as at notify",
        "the telephone has the text",
        "whoever answered wants another time",
    ]
    assert [each["said"].lower() for each in message["history"]] == [each["words"].lower() for each in story["events"]]
    assert [each["words"] for each in others["events"]] == [
        "a text about the new time was written, in 1 segment",
        "a text came in that a person has to read",
    ]
    assert story["appointments"] == [written.about.appointment]
    assert nobodys == {"appointments": [], "events": []}
    assert practices.status_code == 403
    assert MOBILE not in str(story)
    assert LETTER not in str(story)
