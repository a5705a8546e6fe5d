"""Writing appointments from end to end: book, amend, cancel, mark, and every way to be refused."""

import asyncio
from datetime import datetime
from typing import Any

from services.booking.fhir.resources import NHS_NUMBER, ODS_CODE, REPLACES
from tests.booking.paper import BOB, organisation, patient, reason, row
from tests.booking.surgery import Surgery, refused, surgery, valid
from tests.harness import County

NINE, TEN_PAST = row(), row(start="2024-07-22T09:10")


async def nine_o_clock(desk: Surgery, **others: str) -> str:
    """The id of a free slot at nine on Monday; there is another ten minutes later."""
    assert (await desk.import_diary(row(**others), TEN_PAST)).status_code == 200
    return str((await desk.slots("operator", status="free"))[0]["id"])


class TestBooking:
    async def test_gives_the_appointment_back_as_it_was_asked_for(self, county: County) -> None:
        async with surgery(county) as desk:
            slot = await nine_o_clock(desk)
            answer = await desk.book(slot, priority=2, identifier=[{"system": "urn:practice", "value": "7"}])
            booked = valid(answer)
            read = await desk.ask("practice", "GET", f"Appointment/{booked['id']}")
            assert valid(read) == booked
            assert (await desk.slots(status="busy"))[0]["id"] == slot
        assert answer.status_code == 201
        assert answer.headers["location"].endswith(
            f"/Appointment/{booked['id']}/_history/{booked['meta']['versionId']}"
        )
        for name in ("etag", "last-modified"):
            assert read.headers[name] == answer.headers[name]
        assert answer.headers["etag"] == f'W/"{booked["meta"]["versionId"]}"'
        assert (booked["description"], booked["comment"], booked["priority"]) == ("Back pain", "Walks with a stick", 2)
        assert booked["identifier"] == [{"system": "urn:practice", "value": "7"}]
        assert booked["participant"][0]["actor"]["identifier"] == {"system": NHS_NUMBER, "value": "9990000018"}
        assert booked["contained"][0]["telecom"][0]["value"] == "+447700900123"

    async def test_keeps_the_organisation_that_books_with_its_name_and_telephone(self, county: County) -> None:
        async with surgery(county) as desk:
            await desk.open()
            contained = [patient(), organisation("B2")]
            booked = valid(await desk.book(await nine_o_clock(desk), "other", contained=contained))
        assert booked["contained"][1] | {"id": "o"} == organisation("B2")

    async def test_in_another_organisations_name_is_refused(self, county: County) -> None:
        async with surgery(county) as desk:
            slot = await nine_o_clock(desk)
            contained = [patient(), organisation("B2")]
            assert refused(await desk.book(slot, contained=contained)) == (422, "other-organisation")
            typed = [patient(), organisation("A1", type=[{"coding": [{"code": "urgent-care"}]}])]
            assert refused(await desk.book(slot, contained=typed)) == (422, "other-organisation")
            booked = valid(await desk.book(slot, "operator", contained=contained))
        assert booked["contained"][1]["identifier"] == [{"system": ODS_CODE, "value": "B2"}]

    async def test_takes_two_slots_that_adjoin(self, county: County) -> None:
        async with surgery(county) as desk:
            await desk.import_diary(NINE, TEN_PAST)
            slots = [{"reference": f"Slot/{slot['id']}"} for slot in await desk.slots()]
            answer = await desk.book("", slot=slots, end="2024-07-22T09:20:00+01:00")
            assert valid(answer)["minutesDuration"] == 20
            assert await desk.slots(status="free") == []

    async def test_may_name_a_time_in_any_offset_if_it_is_the_same_instant(self, county: County) -> None:
        async with surgery(county) as desk:
            slot = await nine_o_clock(desk)
            local = await desk.book(slot, start="2024-07-22T09:00:00Z", end="2024-07-22T09:10:00Z")
            answer = await desk.book(slot, start="2024-07-22T08:00:00Z", end="2024-07-22T10:10:00+02:00")
        assert refused(local) == (422, "times-differ")
        assert valid(answer)["start"] == "2024-07-22T09:00:00+01:00"

    async def test_of_a_kept_slot_is_for_those_it_is_kept_for(self, county: County) -> None:
        async with surgery(county) as desk:
            slot = await nine_o_clock(desk, service_type="NHS 111")
            assert refused(await desk.book(slot)) == (403, "slot-kept")
            assert refused(await desk.book(slot, "other")) == (422, "unknown-slot")
            assert (await desk.book(slot, "nhs-111")).status_code == 201

    async def test_of_a_slot_that_is_not_open_is_as_of_one_that_does_not_exist(self, county: County) -> None:
        async with surgery(county) as desk:
            slot = await nine_o_clock(desk)
            closed, nowhere = await desk.book(slot, "other"), await desk.book("nowhere", "other")
            await desk.open()
            assert (await desk.book(slot, "other")).status_code == 201
        assert valid(closed) == valid(nowhere)
        assert (closed.status_code, closed.json()["issue"][0]["details"]["coding"][0]["code"]) == (
            422,
            "REFERENCE_NOT_FOUND",
        )

    async def test_of_a_slot_that_is_not_open_tells_nothing_of_it_whatever_else_is_wrong(self, county: County) -> None:
        async with surgery(county) as desk:
            slot = await nine_o_clock(desk)
            me = {"actor": {"reference": "#p"}, "status": "accepted"}
            for guess in (
                {"participant": [me, {"actor": {"display": "Dr Jones"}, "status": "accepted"}]},
                {"participant": [me, {"actor": {"display": "Dr Who"}, "status": "accepted"}]},
                {"serviceType": [{"text": "GP consultation"}]},
                {"serviceType": [{"text": "Dentistry"}]},
                {"extension": _replaces("nowhere")},
                {"contained": [patient(), organisation("A1")]},
                {"end": "2024-07-22T09:30:00+01:00"},
                {"slot": [{"reference": f"Slot/{slot}"}, {"reference": "Slot/nowhere"}]},
            ):
                others: dict[str, Any] = guess
                closed, nowhere = [await desk.book(id, "other", **others) for id in (slot, "nowhere")]
                assert (closed.status_code, closed.json()) == (nowhere.status_code, nowhere.json()), guess

    async def test_of_a_slot_that_has_begun_is_refused(self, county: County) -> None:
        async with surgery(county) as desk:
            await desk.import_diary(row(start="2024-07-19T09:00"))
            (slot,) = await desk.slots(start="ge2024-07-19", end="le2024-07-19")
            answer = await desk.book(slot["id"], start=slot["start"], end=slot["end"])
        assert refused(answer) == (422, "slot-in-the-past")

    async def test_refused_stores_nothing_and_says_why(self, county: County) -> None:
        async with surgery(county) as desk:
            slot = await nine_o_clock(desk)
            long = await desk.book(slot, description="x" * 101)
            nobody = await desk.book(slot, who=patient(identifier=[{"system": NHS_NUMBER, "value": "9990000019"}]))
            elsewhere = await desk.book(slot, who=patient(identifier=[{"system": "urn:x", "value": "9990000018"}]))
            nowhere = await desk.book("nowhere")
            late = await desk.book(slot, end="2024-07-22T09:30:00+01:00")
            assert (await desk.figures())["appointments"] == {}
        assert refused(long) == (422, "too-long")
        assert refused(nobody) == (400, "bad-nhs-number")
        assert refused(elsewhere) == (400, "bad-identifier-system")
        assert refused(nowhere) == (422, "unknown-slot")
        assert refused(late) == (422, "times-differ")
        assert valid(long)["issue"][0]["expression"] == ["Appointment.description"]
        assert "9990000019" not in nobody.text

    async def test_says_which_appointment_it_replaces_if_that_is_the_same_patients(self, county: County) -> None:
        async with surgery(county) as desk:
            await desk.import_diary(NINE, TEN_PAST, row(BOB, start="2024-07-22T09:20"))
            first, second, third = (slot["id"] for slot in await desk.slots())
            before = (await desk.book(first)).json()
            (bobs,) = [slot for slot in await desk.slots(status="busy") if slot["id"] == third]
            times: dict[str, Any] = {"start": "2024-07-22T09:10:00+01:00", "end": "2024-07-22T09:20:00+01:00"}
            search = await desk.ask("practice", "GET", "Appointment", params={"slot": bobs["id"]})
            others = search.json()["entry"][0]["resource"]["id"] if search.status_code == 200 else "nowhere"
            for stranger in (others, "nowhere"):
                answer = await desk.book(second, extension=_replaces(stranger), **times)
                assert refused(answer)[0] == 422
                assert answer.json()["issue"][0]["details"]["coding"][0]["code"] == "REFERENCE_NOT_FOUND"
            after = valid(await desk.book(second, extension=_replaces(before["id"]), **times))
        assert _replaces(before["id"])[0] in after["extension"]


def _replaces(appointment: str) -> list[dict[str, Any]]:
    return [{"url": REPLACES, "valueReference": {"reference": f"Appointment/{appointment}"}}]


class TestASlotThatHasGone:
    async def test_is_had_by_one_of_64_and_the_others_are_offered_what_is_free(self, county: County) -> None:
        async with surgery(county) as desk:
            slot = await nine_o_clock(desk)
            answers = await asyncio.gather(*(desk.book(slot) for _ in range(64)))
            (free,) = await desk.slots(status="free")
            assert (await desk.figures())["double_booked"] == 0
        lost = [answer for answer in answers if answer.status_code != 201]
        assert len(lost) == 63
        assert {refused(answer) for answer in lost} == {(409, "slot-taken")}
        for answer in lost:
            gone, alternative = valid(answer)["issue"]
            assert gone["details"]["coding"][0]["code"] == "DUPLICATE_REJECTED"
            assert alternative["extension"][0]["url"] == "urn:daybook:alternative-slot"
            assert alternative["extension"][0]["valueReference"]["reference"] == f"Slot/{free['id']}"

    async def test_is_offered_others_only_as_far_as_they_are_open(self, county: County) -> None:
        async with surgery(county) as desk:
            await desk.open(days_ahead=3)
            await desk.import_diary(
                NINE, TEN_PAST, row(start="2024-07-23T09:00"), row(service_type="Same day", start="2024-07-22T09:20")
            )
            slot = (await desk.slots())[0]["id"]
            assert (await desk.book(slot)).status_code == 201
            issues = valid(await desk.book(slot, "other"))["issue"]
            own = valid(await desk.book(slot))["issue"]
        assert [issue["details"]["text"] for issue in issues[1:]] == ["Free at 2024-07-22T09:10:00+01:00"]
        assert len(own) == 3


class TestWhoseAppointmentItIs:
    async def test_is_the_practices_and_the_bookers(self, county: County) -> None:
        async with surgery(county) as desk:
            await desk.open()
            booked = await desk.book(await nine_o_clock(desk), "urgent-care")
            for name in ("practice", "urgent-care", "operator"):
                booked = await desk.put(booked, {"comment": f"Read by {name}"}, name)
                assert valid(booked)["comment"] == f"Read by {name}"

    async def test_is_not_there_for_anyone_else_whatever_they_send(self, county: County) -> None:
        async with surgery(county) as desk:
            booked = await desk.book(await nine_o_clock(desk))
            change = {"status": "cancelled", "cancelationReason": reason()}
            for version in ("", 'W/"1"', None):
                for body in (booked.json() | change, {}, {"resourceType": "Slot"}):
                    headers = {} if version is None else {"If-Match": version or booked.headers["etag"]}
                    answers = [
                        await desk.ask("other", "PUT", f"Appointment/{id}", json=body, headers=headers)
                        for id in (booked.json()["id"], "nowhere")
                    ]
                    assert [refused(answer) for answer in answers] == [(404, "unknown-appointment")] * 2
                    assert valid(answers[0]) == valid(answers[1])

    async def test_the_booker_does_not_mark_it(self, county: County) -> None:
        async with surgery(county) as desk:
            await desk.open()
            booked = await desk.book(await nine_o_clock(desk), "urgent-care")
            answer = await desk.put(booked, {"status": "entered-in-error"}, "urgent-care")
            assert refused(answer) == (403, "not-yours-to-mark")
            assert valid(await desk.put(booked, {"status": "entered-in-error"}))["status"] == "entered-in-error"


class TestAmending:
    async def test_changes_description_and_comment(self, county: County) -> None:
        async with surgery(county) as desk:
            booked = await desk.book(await nine_o_clock(desk))
            answer = await desk.put(booked, {"description": "Neck pain", "comment": "In a wheelchair"})
            amended = valid(answer)
            assert valid(await desk.ask("practice", "GET", f"Appointment/{amended['id']}")) == amended
        assert amended == booked.json() | {
            "description": "Neck pain",
            "comment": "In a wheelchair",
            "meta": amended["meta"],
        }
        assert answer.headers["etag"] != booked.headers["etag"]

    async def test_nothing_writes_nothing(self, county: County) -> None:
        async with surgery(county) as desk:
            booked = await desk.book(await nine_o_clock(desk))
            same = await desk.put(booked, {})
            assert (valid(same), same.headers["etag"]) == (booked.json(), booked.headers["etag"])
            assert refused(await desk.put(booked, {}, version='W/"1"')) == (412, "version-mismatch")

    async def test_what_is_over_is_refused(self, county: County) -> None:
        async with surgery(county) as desk:
            booked = await desk.book(await nine_o_clock(desk))
            cancelled = await desk.put(booked, {"status": "cancelled", "cancelationReason": reason()})
            answer = await desk.put(cancelled, {"comment": "Too late"})
        assert answer.status_code == 422


CANCELLED: dict[str, Any] = {"status": "cancelled", "cancelationReason": reason()}


class TestCancelling:
    async def test_frees_the_slot(self, county: County) -> None:
        async with surgery(county) as desk:
            slot = await nine_o_clock(desk)
            booked = await desk.book(slot)
            answer = await desk.put(booked, CANCELLED)
            assert valid(answer)["cancelationReason"] == reason()
            assert answer.headers["etag"] != booked.headers["etag"]
            assert slot in [found["id"] for found in await desk.slots(status="free")]
            assert (await desk.put(booked, CANCELLED)).json() == answer.json()
            assert (await desk.book(slot)).status_code == 201

    async def test_with_an_outdated_version_changes_nothing(self, county: County) -> None:
        async with surgery(county) as desk:
            booked = await desk.book(await nine_o_clock(desk))
            for version in ('W/"1"', "any", '"1", W/"3"', "*"):
                answer = await desk.put(booked, CANCELLED, version=version)
                assert refused(answer) == (412, "version-mismatch")
            assert refused(await desk.put(booked, CANCELLED, version=None)) == (400, "if-match-missing")
            read = await desk.ask("practice", "GET", f"Appointment/{booked.json()['id']}")
            assert read.json() == booked.json()

    async def test_refuses_every_other_change(self, county: County) -> None:
        async with surgery(county) as desk:
            booked = await desk.book(await nine_o_clock(desk))
            answer = await desk.put(booked, CANCELLED | {"description": "Front pain"})
            assert (await desk.figures())["appointments"] == {"booked": 1}
        assert refused(answer) == (422, "invalid-resource")
        assert valid(answer)["issue"][0]["expression"] == ["Appointment.description"]

    async def test_by_many_at_once_happens_once(self, county: County) -> None:
        async with surgery(county) as desk:
            booked = await desk.book(await nine_o_clock(desk))
            answers = await asyncio.gather(*(desk.put(booked, CANCELLED) for _ in range(16)))
        assert {answer.status_code for answer in answers} == {200}
        assert len({answer.text for answer in answers}) == 1


async def test_an_appointment_is_marked_on_its_day(county: County) -> None:
    async with surgery(county) as desk:
        await desk.import_diary(row(start="2024-07-19T16:00"))
        (slot,) = await desk.slots(start="ge2024-07-19", end="le2024-07-19")
        booked = await desk.book(slot["id"], start=slot["start"], end=slot["end"])
        arrived = await desk.put(booked, {"status": "arrived"})
        fulfilled = await desk.put(arrived, {"status": "fulfilled"})
        missed = await desk.put(arrived, {"status": "noshow"})
        read = valid(await desk.ask("practice", "GET", f"Appointment/{booked.json()['id']}"))
    assert [valid(answer)["status"] for answer in (arrived, fulfilled)] == ["arrived", "fulfilled"]
    assert refused(missed) == (412, "version-mismatch")
    assert read == fulfilled.json()


AUTUMN: dict[str, Any] = {"start": "ge2024-10-27", "end": "le2024-10-27"}


class TestTheHourThatComesTwice:
    """On 27 October 2024 the clocks of the UK go back at 02:00 BST, on 31 March 2024 forward at 01:00 GMT."""

    async def test_has_two_slots_at_ten_past_one(self, county: County) -> None:
        async with surgery(county) as desk:
            await desk.import_diary(row(start="2024-10-27T01:10+01:00"), row(start="2024-10-27T01:10+00:00"))
            summer, winter = await desk.slots(**AUTUMN)
            wrong = await desk.book(summer["id"], start=winter["start"], end=winter["end"])
            answers = [await desk.book(slot["id"], start=slot["start"], end=slot["end"]) for slot in (summer, winter)]
        assert (summer["start"], winter["start"]) == ("2024-10-27T01:10:00+01:00", "2024-10-27T01:10:00+00:00")
        assert refused(wrong) == (422, "times-differ")
        assert [valid(answer)["start"] for answer in answers] == [summer["start"], winter["start"]]

    async def test_ends_a_slot_on_the_other_side(self, county: County) -> None:
        async with surgery(county) as desk:
            await desk.import_diary(row(start="2024-10-27T01:50+01:00", minutes="20"))
            (slot,) = await desk.slots(**AUTUMN)
            booked = valid(await desk.book(slot["id"], start=slot["start"], end=slot["end"]))
        assert (booked["start"], booked["end"]) == ("2024-10-27T01:50:00+01:00", "2024-10-27T01:10:00+00:00")
        assert booked["minutesDuration"] == 20

    async def test_or_not_at_all_is_named_by_its_offset(self, county: County) -> None:
        async with surgery(county, _at("2024-03-29T12:00:00+00:00")) as desk:
            await desk.import_diary(row(start="2024-03-31T00:30:00+00:00"), row(start="2024-03-31T01:30:00+00:00"))
            before, after = await desk.slots(start="ge2024-03-31", end="le2024-03-31")
            skipped = await desk.book(after["id"], start="2024-03-31T01:30:00+01:00", end="2024-03-31T01:40:00+01:00")
            as_gmt = await desk.book(after["id"], start="2024-03-31T01:30:00+00:00", end="2024-03-31T01:40:00+00:00")
            as_bst = await desk.book(before["id"], start="2024-03-31T01:30:00+01:00", end="2024-03-31T01:40:00+01:00")
        assert (before["start"], after["start"]) == ("2024-03-31T00:30:00+00:00", "2024-03-31T02:30:00+01:00")
        assert refused(skipped) == (422, "times-differ")
        assert valid(as_gmt)["start"] == after["start"]
        assert valid(as_bst)["start"] == before["start"]


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text)
