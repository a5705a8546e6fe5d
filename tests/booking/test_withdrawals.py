"""Taking slots out of a session: nobody is displaced before somebody has looked at who would be."""

import asyncio
from datetime import date
from typing import Any

import pytest
from httpx import Response

from services.booking.pages import session_id, slot_id
from services.booking.withdrawals import confirmation, confirmed_version
from shared.clock import parse_instant
from shared.refusals import Refusal
from tests.booking.paper import ANN, BOB, row
from tests.booking.surgery import Surgery, refused, surgery
from tests.harness import County

MORNING = session_id("A1", "Morning", "Dr Jones", date(2024, 7, 22))
ADDRESS = f"/v1/sessions/{MORNING}/withdrawal"
ILL = {"reason": "Dr Jones is ill"}


def slot(start: str) -> str:
    """The slot of the Monday's morning that starts then."""
    return slot_id(MORNING, parse_instant(f"2024-07-22T{start}"))


NINE, TEN_PAST, TWENTY_PAST = (slot(start) for start in ("09:00", "09:10", "09:20"))


async def diary(desk: Surgery) -> None:
    """Ann at nine, Bob, who has no mobile, at twenty past, and a free slot between them."""
    bob = row(BOB, start="2024-07-22T09:20", mobile="01227 123456", priority="")
    answer = await desk.import_diary(row(ANN), row(start="2024-07-22T09:10"), bob)
    assert answer.status_code == 200, answer.text


async def withdraw(desk: Surgery, **sent: Any) -> Response:
    return await desk.http.post(ADDRESS, json=ILL | sent)


def needing(answer: Response, code: str = "confirmation-needed") -> dict[str, Any]:
    """The preview that comes with the answer."""
    assert refused(answer) == (409, code), answer.text
    preview: dict[str, Any] = answer.json()["preview"]
    return preview


async def test_slots_that_nobody_has_are_withdrawn_at_once_and_once(county: County) -> None:
    async with surgery(county) as desk:
        await diary(desk)
        first, again = [(await withdraw(desk, slots=[TEN_PAST])).json() for _ in range(2)]
        assert (await desk.figures())["appointments"] == {"booked": 2}
    assert (first["withdrawn"], first["displaced"]) == ([TEN_PAST], [])
    assert again == {"withdrawal": None, "withdrawn": [], "displaced": []}


async def test_slots_that_patients_have_are_not_withdrawn_before_it_is_confirmed(county: County) -> None:
    async with surgery(county) as desk:
        await diary(desk)
        preview = needing(await withdraw(desk))
        assert (await desk.figures())["appointments"] == {"booked": 2}
        answer = (await withdraw(desk, confirmation=preview["confirmation"])).json()
        assert (await desk.figures())["appointments"] == {"displaced": 2}
        again = await withdraw(desk, confirmation=preview["confirmation"])
    assert answer["withdrawal"]
    assert answer["withdrawn"] == preview["slots"] == [NINE, TEN_PAST, TWENTY_PAST]
    assert answer["displaced"] == [appointment["appointment"] for appointment in preview["appointments"]]
    assert again.json()["withdrawal"] is None


async def test_the_preview_says_whom_it_would_displace_without_their_names(county: County) -> None:
    async with surgery(county) as desk:
        await diary(desk)
        asked = await desk.http.get(ADDRESS)
        assert asked.json() == needing(await withdraw(desk))
        told = asked.json()
        assert (await desk.figures())["appointments"] == {"booked": 2}
    assert told["counts"] == {"appointments": 2, "holds": 0, "without_mobile": 1}
    facts = ("start", "minutes", "priority", "textable")
    assert [tuple(appointment[fact] for fact in facts) for appointment in told["appointments"]] == [
        ("2024-07-22T09:00:00+01:00", 10, 3, True),
        ("2024-07-22T09:20:00+01:00", 10, 0, False),
    ]
    assert not [secret for secret in ("Ann", "Teak", "9990000018", "7700900123", "Back") if secret in asked.text]


async def test_only_the_slots_named_are_withdrawn(county: County) -> None:
    async with surgery(county) as desk:
        await diary(desk)
        named = {"slots": [NINE, TEN_PAST]}
        preview = needing(await withdraw(desk, **named))
        assert preview == (await desk.http.get(ADDRESS, params=named)).json()
        answer = (await withdraw(desk, **named, confirmation=preview["confirmation"])).json()
        assert (await desk.figures())["appointments"] == {"booked": 1, "displaced": 1}
    assert (answer["withdrawn"], len(answer["displaced"])) == ([NINE, TEN_PAST], 1)


async def test_what_changed_since_it_was_looked_at_is_looked_at_again(county: County) -> None:
    async with surgery(county) as desk:
        await diary(desk)
        first = needing(await withdraw(desk))
        await desk.import_diary(row(ANN, start="2024-07-22T09:10", nhs_number="9990000042"))
        second = needing(await withdraw(desk, confirmation=first["confirmation"]), "withdrawal-changed")
        assert (await desk.figures())["appointments"] == {"booked": 3}
        answer = (await withdraw(desk, confirmation=second["confirmation"])).json()
    assert (len(first["appointments"]), second["counts"]["appointments"]) == (2, 3)
    assert len(answer["displaced"]) == 3


async def test_two_who_confirm_at_the_same_moment_displace_everyone_once(county: County) -> None:
    async with surgery(county) as desk:
        await diary(desk)
        yes = needing(await withdraw(desk))["confirmation"]
        answers = await asyncio.gather(*(withdraw(desk, confirmation=yes) for _ in range(2)))
        assert (await desk.figures())["appointments"] == {"displaced": 2}
    assert sorted(len(answer.json()["displaced"]) for answer in answers) == [0, 2]


async def test_a_confirmation_counts_for_its_own_session_and_slots_only(county: County) -> None:
    async with surgery(county) as desk:
        await diary(desk)
        await desk.import_diary(row(BOB, session="Visits", start="2024-07-22T14:00"))
        visits = session_id("A1", "Visits", "Dr Jones", date(2024, 7, 22))
        others = [
            (await desk.http.get(f"/v1/sessions/{visits}/withdrawal")).json()["confirmation"],
            (await desk.http.get(ADDRESS, params={"slots": [NINE]})).json()["confirmation"],
            "yes",
            "3",
        ]
        answers = [await withdraw(desk, confirmation=sent) for sent in others]
        assert (await desk.figures())["appointments"] == {"booked": 3}
    assert [(*refused(answer), answer.json()["where"]) for answer in answers] == [
        (422, "bad-confirmation", "confirmation")
    ] * 4


async def test_what_makes_no_sense_is_refused_with_the_place(county: County) -> None:
    sent: dict[str, dict[str, Any]] = {
        "reason missing": {"slots": [TEN_PAST]},
        "reason empty": {"slots": [TEN_PAST], "reason": ""},
        "reason blank": {"slots": [TEN_PAST], "reason": " \t"},
        "reason long": {"slots": [TEN_PAST], "reason": "x" * 201},
        "reason unstorable": {"slots": [TEN_PAST], "reason": "Ill\0"},
        "no slots": {"slots": [], "reason": "Ill"},
        "unknown": {"slot": TEN_PAST, "reason": "Ill"},
    }
    async with surgery(county) as desk:
        await diary(desk)
        told = {name: await desk.http.post(ADDRESS, json=body) for name, body in sent.items()}
        elsewhere = await withdraw(desk, slots=[TEN_PAST, slot_id("another session", parse_instant("2024-07-22"))])
        asked = await desk.http.get(ADDRESS, params={"slots": ["none"]})
        assert (await desk.http.get(ADDRESS)).json()["slots"] == [NINE, TEN_PAST, TWENTY_PAST]
    assert {name: (answer.status_code, answer.json()["where"]) for name, answer in told.items()} == {
        "reason missing": (422, "body.reason"),
        "reason empty": (422, "body.reason"),
        "reason blank": (422, "body.reason"),
        "reason long": (422, "body.reason"),
        "reason unstorable": (422, "body.reason"),
        "no slots": (422, "body.slots"),
        "unknown": (422, "body.slot"),
    }
    assert [refused(answer) for answer in (elsewhere, asked)] == [(422, "unknown-slot")] * 2


async def test_a_withdrawn_slot_can_be_published_again_and_withdrawn_again(county: County) -> None:
    again = {"slots": [{"start": "2024-07-22T09:10", "minutes": 10, "service_type": "GP consultation"}]}
    async with surgery(county) as desk:
        await diary(desk)
        first = await withdraw(desk, slots=[TEN_PAST])
        published = await desk.http.post(f"/v1/sessions/{MORNING}/slots", json=again)
        second = await withdraw(desk, slots=[TEN_PAST])
    assert (published.status_code, published.json()["slots"][0]["slot"]) == (201, TEN_PAST)
    assert [answer.json()["withdrawn"] for answer in (first, second)] == [[TEN_PAST]] * 2


async def test_slots_that_have_begun_stay(county: County) -> None:
    async with surgery(county, parse_instant("2024-07-22T09:05")) as desk:
        await diary(desk)
        begun = await withdraw(desk, slots=[NINE])
        preview = needing(await withdraw(desk))
    assert refused(begun) == (422, "slot-in-the-past")
    assert preview["slots"] == [TEN_PAST, TWENTY_PAST]


async def test_a_session_that_is_not_there_has_nothing_to_withdraw(county: County) -> None:
    async with surgery(county) as desk:
        answers = [await desk.http.get("/v1/sessions/none/withdrawal")]
        answers.append(await desk.http.post("/v1/sessions/none/withdrawal", json=ILL))
    assert [refused(answer) for answer in answers] == [(404, "no-such-session")] * 2


def test_a_confirmation_names_the_version_that_was_looked_at_whatever_the_order_of_the_slots() -> None:
    assert confirmed_version("s", ("b", "a"), confirmation("s", ("a", "b"), 12)) == 12


@pytest.mark.parametrize("sent", ["", "12", "12-", f"-1{confirmation('s', (), 1)[1:]}", "1" * 100])
def test_a_confirmation_of_another_form_confirms_nothing(sent: str) -> None:
    with pytest.raises(Refusal, match="does not confirm"):
        confirmed_version("s", (), sent)
