"""What a person makes of a text: the answer that they say it is, once, and as long as it can be acted on."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
import pytest_asyncio

from services.notifications.commands import RecordReply
from services.notifications.replies import ReplyText
from services.notifications.resolving import resolve
from services.notifications.tables import calls, messages, replies, suppressed_numbers, suppressed_pairs
from shared.events.notifications import Answer
from shared.refusals import Conflict, NotFound, Refusal
from tests.harness import County, Servers
from tests.notifications.diary import NOW, Moved
from tests.notifications.telephones import Telephones, telephones

pytestmark = pytest.mark.asyncio(loop_scope="module")

_patients = count(1)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def here(servers: Servers) -> AsyncIterator[Telephones]:
    """One service for all; each test uses a telephone and patients of its own."""
    await servers.fresh_streams()
    async with telephones(County(servers)) as here:
        yield here


async def household(here: Telephones, text: str) -> tuple[Moved, Moved, str]:
    """Two patients with one telephone, from which this has come, and the reply that a person has to read."""
    ann, bob = next(_patients), next(_patients)
    moved = await here.told(ann, bob, mobiles=[f"+447700900{ann:03}"] * 2)
    await here.text(moved[0].mobile, text)
    number = here.running.keys.pseudonym("number", moved[0].mobile)
    (row,) = await here.rows(replies, number=number)
    return moved[0], moved[1], row["id"]


async def the_reply(here: Telephones, reply: str) -> dict[str, Any]:
    (row,) = await here.rows(replies, id=reply)
    return row


async def said(here: Telephones, reply: str, message: str | None, answer: Answer | None) -> None:
    await resolve(here.running, here.turns, reply, message=message, answer=answer, by="Joan")


async def test_what_a_person_says_it_answers_is_recorded_with_the_words_and_confirmed(here: Telephones) -> None:
    ann, bob, reply = await household(here, "Bob will come")
    await said(here, reply, bob.message, "keep")
    read = await the_reply(here, f"{reply}.read")
    assert (read["message"], read["answer"], read["resolved_by"], read["open"]) == (bob.message, "keep", "Joan", False)
    keys = await here.running.keys.find({bob.patient})
    assert keys[bob.patient].open(read["sealed"], ReplyText) == ReplyText("Bob will come")
    aside = await the_reply(here, reply)
    assert (aside["open"], aside["resolved_by"], aside["message"]) == (False, "Joan", "")
    (kept,) = await here.rows(messages, kind="kept", appointment=bob.appointment)
    assert (await here.body(kept["id"])).startswith(f"Sam{bob.number}, thank you.")
    assert await here.rows(messages, kind="kept", appointment=ann.appointment) == []


async def test_a_text_that_means_nothing_to_anybody_is_only_read(here: Telephones) -> None:
    _, _, reply = await household(here, "lovely weather")
    await said(here, reply, None, None)
    assert (await the_reply(here, reply))["resolved_by"] == "Joan"
    assert await here.rows(replies, id=f"{reply}.read") == []


async def test_what_was_read_already_or_never_came_is_refused(here: Telephones) -> None:
    ann, _, reply = await household(here, "Ann")
    await said(here, reply, ann.message, "cancel")
    with pytest.raises(Conflict, match="has been read already"):
        await said(here, reply, ann.message, "keep")
    with pytest.raises(NotFound, match="no such text"):
        await said(here, "none", None, None)


async def test_of_two_who_read_it_at_once_the_first_is_right(here: Telephones) -> None:
    ann, bob, reply = await household(here, "one of us")
    asked = [said(here, reply, each.message, "keep") for each in (ann, bob)]
    refused = [each for each in await asyncio.gather(*asked, return_exceptions=True) if each]
    assert [type(each) for each in refused] == [Conflict]
    assert len(await here.rows(messages, kind="kept", appointment=ann.appointment)) == 1


async def test_message_and_answer_have_to_go_together_and_with_the_telephone(here: Telephones) -> None:
    ann, _, reply = await household(here, "hello")
    stranger, _, _ = await household(here, "hello too")
    for message, answer, complaint in (
        (None, "keep", "which message"),
        (None, "wrong-number", "which message"),
        (ann.message, None, "what the text answers"),
        (stranger.message, "keep", "another telephone"),
        ("none", "keep", "no such message"),
    ):
        with pytest.raises(Refusal, match=complaint):
            await said(here, reply, message, answer)  # type: ignore[arg-type]
    assert (await the_reply(here, reply))["open"]


async def test_an_answer_about_what_is_over_or_off_is_refused(here: Telephones) -> None:
    seen, off, reply = await household(here, "we shall both come")
    await here.diary.see(seen)
    await here.diary.cancel(off)
    (begun,) = await here.told(number := next(_patients), mobiles=[seen.mobile], start=NOW + timedelta(milliseconds=1))
    assert number == begun.number
    for each in (seen, off, begun):
        with pytest.raises(Conflict, match="begun, or stands no longer"):
            await said(here, reply, each.message, "keep")
    await said(here, reply, seen.message, "unclear")


@pytest.mark.parametrize("message", ["ann", None])
async def test_stop_silences_the_number_and_everybody_there_is_telephoned(
    here: Telephones, message: str | None
) -> None:
    ann, bob, reply = await household(here, "leave me alone")
    await said(here, reply, ann.message if message else None, "stop")
    number = (await the_reply(here, reply))["number"]
    assert len(await here.rows(suppressed_numbers, number=number)) == 1
    for each in (ann, bob):
        assert len(await here.rows(calls, message=each.message)) == 1


async def test_start_lets_the_number_have_texts_again_and_answers_no_message(here: Telephones) -> None:
    ann, _, reply = await household(here, "text me again")
    await here.text(ann.mobile, "STOP")
    await said(here, reply, None, "start")
    assert await here.rows(suppressed_numbers, number=(await the_reply(here, reply))["number"]) == []


async def test_wrong_number_parts_it_from_the_patient_whose_message_is_named(here: Telephones) -> None:
    ann, bob, reply = await household(here, "there is no Ann here")
    await said(here, reply, ann.message, "wrong-number")
    (pair,) = await here.rows(suppressed_pairs, number=(await the_reply(here, reply))["number"])
    assert pair["patient"] == ann.patient
    assert len(await here.rows(calls, message=ann.message)) == 1
    assert await here.rows(calls, message=bob.message) == []


async def test_a_text_whose_message_is_known_is_read_with_the_patients_key(here: Telephones) -> None:
    (ann,) = await here.told(number := next(_patients), mobiles=[f"+447700900{number:03}"])
    await here.text(ann.mobile, "can I come later?")
    (row,) = await here.rows(replies, message=ann.message)
    await said(here, row["id"], ann.message, "another-time")
    assert not (await the_reply(here, row["id"]))["open"]
    assert (await the_reply(here, f"{row['id']}.read"))["answer"] == "another-time"


async def test_a_text_from_before_numbers_were_kept_with_it_can_be_read(here: Telephones) -> None:
    (ann,) = await here.told(number := next(_patients), mobiles=[f"+447700900{number:03}"])
    key = (await here.running.keys.find({ann.patient}))[ann.patient]
    reply = f"old reply {number}"
    await here.running.executor.execute(RecordReply(ann.message, reply, "unclear", key.seal(ReplyText("maybe"))))
    await said(here, reply, ann.message, "stop")
    assert not (await the_reply(here, reply))["open"]
    known = here.running.keys.pseudonym("number", ann.mobile)
    assert len(await here.rows(suppressed_numbers, number=known)) == 1


async def test_after_it_was_read_the_same_words_are_a_new_text(here: Telephones) -> None:
    (ann,) = await here.told(number := next(_patients), mobiles=[f"+447700900{number:03}"])
    key = (await here.running.keys.find({ann.patient}))[ann.patient]
    words = here.running.keys.pseudonym("reply", f"{ann.mobile} maybe")
    known = here.running.keys.pseudonym("number", ann.mobile)
    taken = RecordReply(ann.message, "long ago.read", "keep", key.seal(ReplyText("maybe")), known, words, "Joan")
    await here.running.executor.execute(taken)
    await here.text(ann.mobile, "maybe")
    assert len(await here.rows(replies, message=ann.message)) == 2
