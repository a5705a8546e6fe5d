"""The change feed: a practice system that was away hears of just what it missed, once and in order."""

from datetime import datetime
from typing import Any, get_args

import msgspec
import pytest
from sqlalchemy import update

from services.booking.changes import TOLD, change_of
from services.booking.commands import MoveAppointment
from services.booking.cursors import BEGINNING, cursor_at, read_cursor
from shared.database import relayed
from shared.events.booking import BookingEvent
from shared.refusals import Refusal
from tests.booking.paper import reason, row
from tests.booking.surgery import NOON, Surgery, refused, surgery
from tests.harness import County
from tests.house.examples import examples, in_the_log
from tests.issuer import bearer

WITHHELD = {"patient", "details", "once", "identifier", "booked_by_name", "booked_by_telephone"}
"""Sealed, or of the patient, or whatever callers may have written."""


@pytest.mark.parametrize("event", get_args(BookingEvent))
def test_of_each_field_it_is_decided_whether_it_is_told(event: Any) -> None:
    assert set(event.__struct_fields__) - TOLD - WITHHELD == set()


@pytest.mark.parametrize("event", get_args(BookingEvent))
def test_nothing_sealed_and_no_pseudonym_of_a_patient_is_told(event: Any) -> None:
    for example in examples(event):
        told = msgspec.json.encode(change_of(in_the_log(example))).decode()
        assert not any(f'"{name}":' in told for name in (*WITHHELD, "sealed"))


def test_a_change_names_what_to_read_again() -> None:
    kinds = {event.__name__: change_of(in_the_log(next(examples(event)))).resource for event in get_args(BookingEvent)}
    assert kinds["AppointmentBooked"] == kinds["SlotsHeld"] == "Appointment/some text"
    assert kinds["SlotsAdded"] == "Schedule/some text"
    assert kinds["PracticeFrozen"] is None


async def page(desk: Surgery, token: str, **params: str | int) -> dict[str, Any]:
    answer = await desk.http.get("/v1/changes", headers=bearer(token), params=params)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def all_after(desk: Surgery, token: str, after: str = "", **params: str | int) -> list[dict[str, Any]]:
    """Page by page until there are no more."""
    found, more = [], True
    while more:
        one = await page(desk, token, after=after, **params)
        found += one["changes"]
        after, more = one["next"], one["more"]
    return found


async def test_a_system_that_was_away_hears_of_what_it_missed_once_and_in_order(county: County) -> None:
    async with surgery(county) as desk:
        (service,) = county.at_work
        await desk.import_diary(row(), row(start="2024-07-22T09:10"), row(start="2024-07-22T09:20", practice="B2"))
        await county.caught_up()
        away_since = (await page(desk, county.token("A1"), after="now"))["next"]
        slot = (await desk.slots("practice"))[0]
        known = await desk.book(slot["id"])
        theirs = (await desk.slots("other", practice="B2"))[0]
        await desk.book(theirs["id"], "other", start=theirs["start"], end=theirs["end"])
        await desk.put(known, {"status": "cancelled", "cancelationReason": reason()})
        await county.caught_up()
        everything = await all_after(desk, county.token("A1"))
        missed = await all_after(desk, county.token("A1"), away_since, limit=1)
        one_by_one = await all_after(desk, county.token("A1"), limit=1)
        operators = await all_after(desk, county.operator_token(), practice="A1")
        head = service.relay.position
        others = await all_after(desk, county.token("B2"), away_since)
    assert [each["type"].split(".")[3] for each in missed] == ["appointment-booked", "appointment-cancelled"]
    assert {each["resource"] for each in missed} == {f"Appointment/{known.json()['id']}"}
    assert everything[-2:] == missed
    assert one_by_one == operators == everything
    assert len({each["id"] for each in everything}) == len(everything) < head
    assert [each["practice"] for each in others] == ["B2"]


async def test_it_can_begin_at_an_instant_instead(county: County) -> None:
    async with surgery(county) as desk:
        await desk.import_diary(row())
        await county.caught_up()
        everything = await all_after(desk, county.token("A1"))
        since = await page(desk, county.token("A1"), since=everything[1]["time"])
    assert since["changes"] == everything[1:]


async def test_a_practice_hears_that_its_slot_is_given_up_by_a_move_of_anothers(county: County) -> None:
    async with surgery(county) as desk:
        (service,) = county.at_work
        await desk.import_diary(row(), row(start="2024-07-22T09:10"), row(start="2024-07-22T09:20", practice="B2"))
        first, second = await desk.slots("practice")
        (shared,) = await desk.slots("other", practice="B2")
        ids = ["at the hub", "and back"]
        lost = (await desk.book(first["id"])).json()["id"]
        for move, (gives_way, slot, to, elsewhere) in enumerate(
            ((lost, first, shared, "B2"), (ids[0], shared, second, ""))
        ):
            there, here = (each["schedule"]["reference"].partition("/")[2] for each in (to, slot))
            start = datetime.fromisoformat(to["start"])
            moving = MoveAppointment(
                f"move {move}", "outage", "A1", gives_way, here, there, to["id"], start, ids[move], NOON, elsewhere
            )
            await service.executor.execute(moving)
        await county.caught_up()
        heard = await all_after(desk, county.token("B2"))
    assert [each["resource"] for each in heard][-2:] == ["Appointment/at the hub"] * 2
    assert [each["type"].split(".")[3] for each in heard][-2:] == ["appointment-booked", "appointment-moved"]


async def test_a_practice_is_told_of_no_other_and_a_stranger_of_none(county: County) -> None:
    async with surgery(county) as desk:
        await desk.import_diary(row(), row(practice="B2"))
        await county.caught_up()
        asked = {
            "another's": await desk.http.get("/v1/changes?practice=B2", headers=bearer(county.token("A1"))),
            "nobody's": await desk.http.get("/v1/changes?practice=Z9", headers=bearer(county.token("A1"))),
            "no practice": await desk.http.get("/v1/changes", headers=bearer(county.token("U1", "urgent-care"))),
            "unknown": await desk.http.get("/v1/changes?practice=Z9"),
        }
        of_b2 = await all_after(desk, county.token("B2"))
        all_of_it = await all_after(desk, county.operator_token())
    assert {refused(answer) for answer in asked.values()} == {(404, "unknown-practice")}
    assert {each["practice"] for each in of_b2} == {"B2"}
    assert {each["practice"] for each in all_of_it} == {"A1", "B2"}


async def test_a_cursor_that_is_none_of_this_log_is_refused_with_what_to_do(county: County) -> None:
    async with surgery(county) as desk:
        await county.caught_up()
        asked = {
            (409, "foreign-cursor"): {"after": str(cursor_at(1, "of another county"))},
            (409, "cursor-beyond-head"): {"after": str(cursor_at(9_999, "an event that was lost"))},
            (422, "bad-cursor"): {"after": "17"},
            (422, "in-the-future"): {"since": "2030-01-01T00:00"},
            (422, "invalid-time"): {"since": "Friday"},
            (422, "two-beginnings"): {"after": str(BEGINNING), "since": "2024-07-19T09:00"},
        }
        answers = {expected: await desk.http.get("/v1/changes", params=params) for expected, params in asked.items()}
        streamed = await desk.http.get(
            "/v1/changes", headers={"Accept": "text/event-stream", "Last-Event-ID": str(cursor_at(1, "of another"))}
        )
    assert {expected: refused(answer) for expected, answer in answers.items()} == {each: each for each in asked}
    assert all("after=now" in answers[409, code].json()["detail"] for code in ("foreign-cursor", "cursor-beyond-head"))
    assert refused(streamed) == (409, "foreign-cursor")


@pytest.mark.parametrize("text", ["A", "é", "\0", str(BEGINNING)[:-1] + "B", str(BEGINNING)[4:], "="])
def test_a_cursor_that_was_altered_is_none(text: str) -> None:
    with pytest.raises(Refusal, match="not a cursor of the change feed"):
        read_cursor(text, "after")


async def test_while_the_broker_is_up_nothing_is_told_that_the_stream_does_not_have(county: County) -> None:
    async with surgery(county) as desk:
        await county.caught_up()
        (service,) = county.at_work
        service.relay.position, copied = 1, service.relay.position
        async with service.engine.begin() as connection:
            await connection.execute(update(relayed).values(position=1))
        told = await page(desk, county.operator_token())
        service.relay.position = copied
    assert (len(told["changes"]), told["more"]) == (1, False)
