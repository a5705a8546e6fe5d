"""Who is reminded of an appointment, when, and never of one that does not stand."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notifications import reminding
from services.notifications.commands import SuppressNumber
from services.notifications.relevance import TOO_LATE, Moot, moot
from services.notifications.reminders import due_at, reminder_of, rounds
from services.notifications.reminding import Reminders, remind
from services.notifications.replies import code_of
from services.notifications.tables import calls, messages
from shared.clock import LONDON, in_london, london_date
from shared.seal import DataKey, Keys
from tests.harness import County
from tests.notifications.diary import OUTAGE, PRACTICE
from tests.notifications.telephones import Telephones, telephones
from tests.waiting import DEADLINE

MONDAY = date(2024, 7, 22)
TEN = datetime(2024, 7, 22, 9, 0, tzinfo=UTC)
"""Ten o'clock in London on that Monday."""
BEFORE = TEN - timedelta(days=30)


def on(day: date, hour: int, minute: int = 0) -> datetime:
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=LONDON).astimezone(UTC)


def planned(now: datetime, after: datetime | None = None) -> set[tuple[str, date]]:
    return {(each.kind, each.day) for each in rounds(now, after)}


INSTANTS = st.integers(0, 7 * 366 * 24 * 12).map(lambda fives: BEFORE + timedelta(minutes=5 * fives))


class TestWhen:
    @pytest.mark.parametrize(
        ("day", "days_ahead", "due"),
        [
            (date(2024, 7, 26), 3, date(2024, 7, 23)),
            (date(2024, 7, 26), 1, date(2024, 7, 25)),
            (date(2024, 7, 22), 1, date(2024, 7, 19)),
            (date(2024, 7, 23), 3, date(2024, 7, 19)),
            (date(2024, 8, 27), 1, date(2024, 8, 23)),
            (date(2024, 12, 27), 1, date(2024, 12, 24)),
            (date(2027, 12, 29), 1, date(2027, 12, 24)),
            (date(2027, 1, 2), 1, date(2026, 12, 31)),
        ],
        ids=str,
    )
    def test_at_ten_on_a_working_day(self, day: date, days_ahead: int, due: date) -> None:
        assert due_at(day, days_ahead) == on(due, 10)

    def test_ten_is_ten_in_london_across_the_change_of_the_clocks(self) -> None:
        assert due_at(date(2026, 3, 31), 1) == datetime(2026, 3, 30, 9, 0, tzinfo=UTC)
        assert due_at(date(2026, 3, 28), 1) == datetime(2026, 3, 27, 10, 0, tzinfo=UTC)
        assert due_at(date(2026, 10, 28), 1) == datetime(2026, 10, 27, 10, 0, tzinfo=UTC)

    @given(INSTANTS)
    def test_no_day_has_both_and_no_reminder_is_for_a_day_gone_by(self, now: datetime) -> None:
        found = list(rounds(now))
        assert all(each.due <= now and each.day >= london_date(now) for each in found)
        assert len({each.day for each in found}) == len(found)
        for each in found:
            assert in_london(each.due).weekday() < 5
            if each.kind == "reminder-3":
                assert london_date(now) < london_date(due_at(each.day, 1))

    @given(
        INSTANTS,
        st.lists(st.timedeltas(timedelta(minutes=1), timedelta(days=1)), min_size=1, max_size=30),
    )
    def test_whoever_looks_again_and_again_misses_no_round(self, begin: datetime, waits: list[timedelta]) -> None:
        seen, last = set(planned(begin)), begin
        for wait in waits:
            now = last + wait
            seen |= planned(now, last)
            assert planned(now) <= seen
            last = now

    def test_a_round_is_made_when_its_time_comes_and_three_days_ahead_no_more_on_the_day_of_the_other(self) -> None:
        tuesday, thursday = MONDAY + timedelta(days=1), MONDAY + timedelta(days=3)
        assert planned(TEN, TEN - timedelta(seconds=1)) == {("reminder-1", tuesday), ("reminder-3", thursday)}
        assert planned(TEN, TEN) == set()
        assert planned(TEN) == planned(TEN, TEN - timedelta(minutes=1)) | {
            ("reminder-1", MONDAY),
            ("reminder-3", MONDAY + timedelta(days=2)),
        }
        assert planned(TEN - timedelta(hours=3)) == {
            ("reminder-1", MONDAY),
            ("reminder-3", MONDAY + timedelta(days=2)),
        }

    def test_monday_has_one_reminder_since_both_would_come_on_friday(self) -> None:
        friday = on(date(2024, 7, 19), 10)
        assert ("reminder-1", MONDAY) in planned(friday)
        assert ("reminder-3", MONDAY) not in planned(friday)


def test_the_reminder_three_days_ahead_that_has_waited_until_the_day_of_the_other_is_not_sent() -> None:
    tuesday = on(MONDAY + timedelta(days=1), 9)
    assert moot("reminder-3", "booked", tuesday, on(date(2024, 7, 21), 23, 59)) is None
    assert moot("reminder-3", "booked", tuesday, on(MONDAY, 0)) == Moot(TOO_LATE)
    assert moot("reminder-1", "booked", tuesday, on(MONDAY, 0)) is None


async def reminded(here: Telephones) -> Mapping[str, str]:
    """The kind of the reminder of each appointment."""
    await here.county.caught_up()
    await Reminders(here.running).go_round()
    return {row["appointment"]: row["kind"] for row in await here.rows(messages) if row["kind"] != "moved"}


TUESDAY, WEDNESDAY, THURSDAY, FRIDAY = (MONDAY + timedelta(days=days) for days in range(1, 5))


async def test_whoever_has_an_appointment_is_reminded_once_and_in_time(county: County) -> None:
    async with telephones(county, now=TEN) as here:
        (tomorrow,) = await here.diary.book(1, start=on(TUESDAY, 9, 40), booked_at=BEFORE)
        (in_three_days,) = await here.diary.book(2, start=on(THURSDAY, 23, 50), booked_at=TEN - timedelta(hours=24))
        (today,) = await here.diary.book(3, start=on(MONDAY, 12, 30), booked_at=BEFORE)
        await here.diary.book(4, start=on(FRIDAY, 0), booked_at=BEFORE)
        await here.diary.book(5, start=on(TUESDAY, 9), booked_at=TEN - timedelta(hours=23, minutes=59))
        await here.diary.book(6, start=on(MONDAY, 11, 50), booked_at=BEFORE)
        (off,) = await here.diary.book(7, start=on(TUESDAY, 9), booked_at=BEFORE)
        await here.diary.cancel(off)
        (moved,) = await here.diary.book(8, start=on(TUESDAY, 9), booked_at=BEFORE)
        await here.diary.move_on(moved)
        assert await reminded(here) == {
            tomorrow.appointment: "reminder-1",
            in_three_days.appointment: "reminder-3",
            today.appointment: "reminder-1",
        }
        (row,) = await here.rows(messages, appointment=tomorrow.appointment)
        assert row["id"] == reminder_of("reminder-1", tomorrow.appointment, on(TUESDAY, 9, 40))
        assert (row["practice"], row["move"], row["outage"], row["state"]) == (PRACTICE, "", "", "planned")
        assert await here.body(row["id"]) == (
            "Sam1, a reminder of your appointment with Harbour Surgery on Tuesday 23 July 2024 at 9:40am.\n"
            "If you cannot come, reply 3 to cancel."
        )
        position = here.running.relay.position
        assert len(await reminded(here)) == 3
        assert here.running.relay.position == position


async def test_who_cannot_be_texted_is_not_called_for_want_of_a_reminder(county: County) -> None:
    async with telephones(county, now=TEN) as here:
        silent = here.running.keys.pseudonym("number", "+447700900150")
        await here.running.executor.execute(SuppressNumber(silent, "STOP", ()))
        mobiles = ["", "01632 960123", "+33612345678", "07012 345678", "0740O123456", "07400", "+447700900150"]
        await here.diary.book(*range(1, 8), start=on(TUESDAY, 9), booked_at=BEFORE, mobiles=mobiles)
        (good,) = await here.diary.book(8, start=on(TUESDAY, 9), booked_at=BEFORE)
        assert await reminded(here) == {good.appointment: "reminder-1"}
        assert await here.rows(calls) == []


async def test_a_telephone_that_has_several_appointments_answers_each_by_its_code(county: County) -> None:
    async with telephones(county, now=TEN) as here:
        ann, bob = await here.diary.book(1, 2, start=on(TUESDAY, 9), booked_at=BEFORE, mobiles=["+447700900100"] * 2)
        await reminded(here)
        for each in (ann, bob):
            (row,) = await here.rows(messages, appointment=each.appointment)
            assert (await here.body(row["id"])).endswith(f"reply 3 {code_of(row['id'])} to cancel.")


async def test_who_was_moved_is_reminded_of_the_new_time_and_place_unless_told_of_it_late(county: County) -> None:
    async with telephones(county, now=TEN) as here:
        (moved,) = await here.told(1, start=on(FRIDAY, 9))
        await here.diary.move(2, start=on(FRIDAY, 9))
        await county.caught_up()
    async with telephones(county, now=on(THURSDAY, 16), diary=here.diary) as here:
        assert await reminded(here) == {moved.appointment: "reminder-1"}
        await here.arrived()
        assert await reminded(here) == {moved.appointment: "reminder-1"}, "who has just heard of the move needs none"
        (row,) = await here.rows(messages, kind="reminder-1")
    assert (row["patient"], row["move"], row["outage"]) == (moved.patient, moved.move, OUTAGE)


async def test_a_county_is_reminded_some_at_a_time_and_those_heard_of_or_made_ready_late_within_the_hour(
    county: County, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def nobody(*_: object) -> dict[str, DataKey]:
        return {}

    monkeypatch.setattr(reminding, "LOOKED_AT", 3)
    monkeypatch.setattr(reminding, "TOGETHER", 2)
    async with telephones(county, now=TEN) as here:
        await here.diary.book(*range(1, 8), start=on(TUESDAY, 9), booked_at=BEFORE)
        await county.caught_up()
        reminders = Reminders(here.running)
        await reminders.go_round()
        assert len(await here.rows(messages)) == 7
        await here.diary.book(8, start=on(TUESDAY, 9), booked_at=BEFORE)
        await county.caught_up()
        await reminders.go_round()
        assert len(await here.rows(messages)) == 7
        monkeypatch.setattr(reminding, "OVER_AGAIN", timedelta(0))
        with monkeypatch.context() as without_keys:
            without_keys.setattr(Keys, "find", nobody)
            await reminders.go_round()
        assert len(await here.rows(messages)) == 7
        await reminders.go_round()
        assert len(await here.rows(messages)) == 8


async def test_a_county_may_want_no_reminders(county: County) -> None:
    async with telephones(county, now=TEN, reminders=False) as here:
        await asyncio.wait_for(remind(here.running), DEADLINE)
