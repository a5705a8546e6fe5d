"""What a text from a telephone does: once, to the one message that it answers, or for a person to read."""

import asyncio
from datetime import timedelta

import pytest

from services.notifications.commands import AttemptSend, RecordDeferred
from services.notifications.inbound import e164
from services.notifications.replies import ReplyText, code_of
from services.notifications.tables import calls, messages, replies, suppressed_numbers, suppressed_pairs
from shared.refusals import Refusal
from tests.harness import County
from tests.notifications.diary import NOW, PRACTICE, Moved
from tests.notifications.telephones import Telephones, telephones

SHARED = "+447700900100"
FRIDAY = NOW + timedelta(days=4)


async def kinds(here: Telephones, appointment: Moved) -> list[str]:
    """What this patient is to be sent, or has been."""
    return sorted(row["kind"] for row in await here.rows(messages, appointment=appointment.appointment))


class TestWhichMessage:
    async def test_where_several_wait_on_one_telephone_the_code_says_which_is_answered(self, county: County) -> None:
        async with telephones(county) as here:
            ann, bob = await here.told(1, 2, mobiles=[SHARED] * 2)
            await here.text(SHARED, f"3 {code_of(bob.message)}")
            (coded,) = await here.rows(replies)
            assert (coded["message"], coded["answer"], coded["open"]) == (bob.message, "cancel", False)
            await here.text(SHARED, "3")
            await here.text(SHARED, "3 1000")
            for row in await here.rows(replies, message=""):
                assert (row["answer"], row["open"], row["practices"]) == ("", True, [PRACTICE])
                assert set(row["candidates"]) == {ann.message, bob.message}
            (first,) = await here.told(3)
            (second,) = await here.told(4, mobiles=[first.mobile], start=FRIDAY)
            await here.text(first.mobile, "2")
            await here.text(first.mobile, f"{code_of(second.message)} another time please")
            (later,) = await here.rows(replies, answer="another-time")
            assert later["message"] == second.message
            assert len(await here.rows(replies, message="")) == 3

    async def test_what_answers_no_one_message_is_for_a_person_who_sees_what_it_may_mean(self, county: County) -> None:
        async with telephones(county) as here:
            (alone,) = await here.told(3)
            await here.text(alone.mobile, "can I come at noon instead?")
            (free,) = await here.rows(replies)
            assert (free["message"], free["answer"], free["open"]) == (alone.message, "unclear", True)
            await here.told(1, 2, mobiles=[SHARED] * 2)
            await here.text(SHARED, "can we both come at noon?")
            (both,) = await here.rows(replies, message="")
            key = (await here.running.keys.find({both["number"]}))[both["number"]]
            assert key.open(both["sealed"], ReplyText) == ReplyText("can we both come at noon?")
            assert (len(both["candidates"]), both["open"]) == (2, True)
            (untried,) = await here.diary.move(5)
            await county.caught_up()
            for source in (untried.mobile, "441632960123", "+33612345678", "60006"):
                await here.text(source, "1")
            strangers = [row for row in await here.rows(replies, message="") if row["id"] != both["id"]]
            assert [(row["candidates"], row["open"]) for row in strangers] == [([], True)] * 4

    async def test_a_second_answer_is_to_the_same_message_though_the_first_was_confirmed(self, county: County) -> None:
        async with telephones(county) as here:
            (moved,) = await here.told(1)
            await here.text(moved.mobile, "1")
            await here.arrived()
            await here.text(moved.mobile, "3")
            answers = [(row["message"], row["answer"]) for row in await here.rows(replies)]
        assert answers == [(moved.message, "keep"), (moved.message, "cancel")]

    async def test_an_answer_to_an_older_text_is_not_taken_for_one_to_a_move_that_could_not_be_told(
        self, county: County
    ) -> None:
        async with telephones(county) as here:
            (moved,) = await here.told(1)
            newer = await here.diary.move_on(moved)
            await county.caught_up()
            (untold,) = await here.rows(messages, id=newer.message)
            claimed = AttemptSend(newer.message, untold["number"], 1, "notify")
            await here.running.executor.execute_together([claimed, RecordDeferred(newer.message, 1, "Not now")])
            await here.text(moved.mobile, "3")
            (reply,) = await here.rows(replies)
            assert (reply["message"], reply["candidates"], reply["open"]) == ("", [moved.message], True)


class TestSender:
    @pytest.mark.parametrize(
        ("source", "known"),
        [
            ("447700900123", "+447700900123"),
            ("+447700900123", "+447700900123"),
            ("07700900123", "+447700900123"),
            ("00447700900123", "+447700900123"),
            ("441632960123", "+441632960123"),
            ("33612345678", "+33612345678"),
        ],
    )
    def test_a_number_is_known_however_the_provider_writes_it(self, source: str, known: str) -> None:
        assert e164(source) == known

    @pytest.mark.parametrize(
        "source", ["", "Pizza4U", "0740O123456", "+44 7700 900123", "4477009001234567", "\u0660\u0667\u0667"]
    )
    def test_a_sender_that_is_no_number_is_refused(self, source: str) -> None:
        with pytest.raises(Refusal, match="not a telephone number"):
            e164(source)


async def test_the_same_words_from_one_number_within_two_minutes_are_one_text(county: County) -> None:
    async with telephones(county) as here:
        (moved,) = await here.told(1, start=FRIDAY)
        texts = [here.text(moved.mobile, words, provider="twilio") for words in ("2", " 2 ", "2")]
        await asyncio.gather(*texts, here.text(moved.mobile, "2", inbound="first"))
        await here.text(moved.mobile, "2", inbound="first")
        assert len(await here.rows(replies)) == 1
        await here.text(moved.mobile, "1")
        assert len(await here.rows(replies)) == 2
    async with telephones(county, now=NOW + timedelta(minutes=3), diary=here.diary) as here:
        for inbound in ("second", "second", "third"):
            await here.text(moved.mobile, "2", inbound=inbound)
        assert [row["answer"] for row in await here.rows(replies)] == ["another-time", "keep", "another-time"]


async def test_two_on_one_telephone_may_say_the_same_and_a_person_reads_both(county: County) -> None:
    async with telephones(county) as here:
        ann, bob = await here.told(1, 2, mobiles=[SHARED] * 2)
        for inbound in ("his", "hers", "hers"):
            await here.text(SHARED, "3", inbound=inbound)
        found = await here.rows(replies)
        assert [(set(row["candidates"]), row["open"]) for row in found] == [({ann.message, bob.message}, True)] * 2


async def test_the_same_words_after_something_else_was_asked_or_said_are_for_a_person(county: County) -> None:
    async with telephones(county) as here:
        (moved,) = await here.told(1)
        await here.text(moved.mobile, "2")
        newer = await here.diary.move_on(moved)
        await here.arrived()
        await here.text(moved.mobile, "2")
        (again,) = await here.rows(replies, message="")
        assert (again["candidates"], again["open"]) == ([newer.message], True)
        (other,) = await here.told(3)
        for words in ("1", "3", "1"):
            await here.text(other.mobile, words)
        assert [row["answer"] for row in await here.rows(replies, message=other.message)] == ["keep", "cancel"]
        assert [other.message] in [row["candidates"] for row in await here.rows(replies, message="")]


class TestSilence:
    async def test_stop_silences_a_shared_telephone_until_start_and_everybody_is_telephoned(
        self, county: County
    ) -> None:
        async with telephones(county) as here:
            moved = await here.told(1, 2, mobiles=[SHARED] * 2)
            await here.text(SHARED, "STOP")
            (reply,) = await here.rows(replies)
            assert (reply["message"], reply["open"], reply["resolved_by"]) == ("", False, "Daybook")
            assert {row["message"] for row in await here.rows(calls)} == {each.message for each in moved}
            assert len(await here.rows(suppressed_numbers)) == 1
            await here.text(SHARED, "START")
            assert await here.rows(suppressed_numbers) == []

    async def test_yes_keeps_and_cancel_cancels_whatever_the_provider_takes_them_for(self, county: County) -> None:
        async with telephones(county) as here:
            moved, other = await here.told(1, 2, mobiles=[SHARED] * 2)
            await here.text(SHARED, f"cancel {code_of(moved.message)}", provider="twilio", opt_out="STOP")
            (reply,) = await here.rows(replies)
            assert (reply["message"], reply["answer"]) == (moved.message, "cancel")
            assert [row["message"] for row in await here.rows(calls)] == [other.message]
            await here.diary.cancel(moved)
            await county.caught_up()
            await here.text(SHARED, "YES", provider="twilio", opt_out="START")
            assert [row["answer"] for row in await here.rows(replies, message=other.message)] == ["keep"]
            assert len(await here.rows(suppressed_numbers)) == 1
            await here.diary.cancel(other)
            await county.caught_up()
            await here.text(SHARED, "Yes!", provider="twilio", opt_out="START")
            assert await here.rows(suppressed_numbers) == []

    async def test_wrong_number_parts_the_number_from_the_one_patient_written_to(self, county: County) -> None:
        async with telephones(county) as here:
            (stranger,) = await here.told(1, mobiles=[SHARED])
            await here.text(SHARED, "Wrong number")
            (pair,) = await here.rows(suppressed_pairs)
            assert (pair["patient"], await here.rows(suppressed_numbers)) == (stranger.patient, [])
            assert [row["message"] for row in await here.rows(calls)] == [stranger.message]
            await here.text(SHARED, "3")
            (cannot,) = await here.rows(replies, message="")
            assert (cannot["candidates"], cannot["open"]) == ([], True)
            (theirs,) = await here.told(2, mobiles=[SHARED])
            await here.text(SHARED, "1")
            assert [row["message"] for row in await here.rows(replies, answer="keep")] == [theirs.message]

    async def test_wrong_number_where_several_were_written_to_is_for_a_person(self, county: County) -> None:
        async with telephones(county) as here:
            await here.told(1, 2, mobiles=[SHARED] * 2)
            await here.text(SHARED, "wrong number")
            (reply,) = await here.rows(replies)
            assert (len(reply["candidates"]), reply["open"]) == (2, True)
            assert await here.rows(suppressed_pairs) == []


class TestConfirmation:
    async def test_an_answer_is_confirmed_once_to_the_telephone_it_came_from(self, county: County) -> None:
        async with telephones(county) as here:
            (moved,) = await here.told(1)
            await here.text(moved.mobile, "1")
            await here.text(moved.mobile, "1 please")
            (kept,) = await here.rows(messages, kind="kept")
            assert await here.body(kept["id"]) == (
                "Sam1, thank you. Your appointment with Harbour Surgery on Tuesday 23 July 2024 at 10am stands."
            )
            (told,) = await here.rows(messages, kind="moved")
            same = ("number", "practice", "patient", "appointment", "move", "outage", "appointment_start")
            assert [kept[name] for name in same] == [told[name] for name in same]
            await here.text(moved.mobile, "2")
            assert await kinds(here, moved) == ["asked", "kept", "moved"]

    async def test_a_cancellation_is_confirmed_when_booking_has_made_it(self, county: County) -> None:
        async with telephones(county) as here:
            asked, unasked = await here.told(1, 2)
            await here.text(asked.mobile, "3")
            assert await kinds(here, asked) == ["moved"]
            for each in (asked, unasked):
                await here.diary.cancel(each)
            await county.caught_up()
            (cancelled,) = await here.rows(messages, kind="cancelled")
            assert (await here.body(cancelled["id"])).endswith("at 10am is cancelled, as you asked.")
            assert (await kinds(here, asked), await kinds(here, unasked)) == (["cancelled", "moved"], ["moved"])

    async def test_nothing_is_confirmed_that_is_not_so_or_to_whoever_wants_no_texts(self, county: County) -> None:
        async with telephones(county) as here:
            (moved,) = await here.told(1)
            for text in ("maybe", "3", "1", "STOP", "2"):
                await here.text(moved.mobile, text)
            await here.diary.cancel(moved)
            await county.caught_up()
            assert await kinds(here, moved) == ["moved"]
        async with telephones(county, diary=here.diary, confirmations=False) as here:
            (kept,) = await here.told(2)
            await here.text(kept.mobile, "1")
            assert await kinds(here, kept) == ["moved"]
