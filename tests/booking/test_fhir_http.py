"""How FHIR travels over HTTP: formats, preferences, media types, and every error an OperationOutcome."""

from typing import Any

import pytest

from services.booking.fhir.http import parse_prefer
from tests.booking.paper import appointment, row
from tests.booking.surgery import Surgery, refused, surgery, valid
from tests.harness import County


@pytest.mark.parametrize(
    ("sent", "understood"),
    [
        ([], ("representation", False)),
        (["return=minimal"], ("minimal", False)),
        (["handling=strict; return=OperationOutcome"], ("OperationOutcome", True)),
        (["respond-async, return=minimal", "handling=strict"], ("minimal", True)),
        (["return = Minimal"], ("minimal", False)),
        (["return=everything"], ("representation", False)),
    ],
)
def test_what_is_preferred_is_understood_or_left_aside(sent: list[str], understood: tuple[str, bool]) -> None:
    assert parse_prefer(sent) == understood


async def nine_o_clock(desk: Surgery) -> str:
    assert (await desk.import_diary(row(), row(start="2024-07-22T09:10"))).status_code == 200
    return str((await desk.slots())[0]["id"])


class TestFormats:
    ACCEPTED: tuple[tuple[dict[str, str], str, str], ...] = (
        ({}, "", "application/fhir+json"),
        ({"Accept": "application/fhir+json; fhirVersion=4.0"}, "", "application/fhir+json"),
        ({"Accept": "text/html, application/xhtml+xml, */*;q=0.1"}, "", "application/fhir+json"),
        ({"Accept": "application/json"}, "", "application/json"),
        ({"Accept": "application/fhir+xml"}, "?_format=json", "application/fhir+json"),
        ({"Accept": "application/fhir+xml"}, "?_format=application/fhir%2Bjson", "application/fhir+json"),
        ({}, "?_format=application/fhir+json&_pretty=true", "application/fhir+json"),
        ({}, "?_format=text/json", "text/json"),
    )
    REFUSED: tuple[tuple[dict[str, str], str, int], ...] = (
        ({"Accept": "application/fhir+xml"}, "", 406),
        ({"Accept": "application/fhir+json;q=0"}, "", 406),
        ({"Accept": "application/fhir+json; fhirVersion=3.0"}, "", 406),
        ({}, "?_format=xml", 415),
        ({"Accept": "application/fhir+json"}, "?_format=turtle", 415),
    )

    async def test_are_json_by_any_of_its_names(self, county: County) -> None:
        async with surgery(county) as desk:
            for headers, query, kind in self.ACCEPTED:
                answer = await desk.ask("practice", "GET", f"metadata{query}", headers=headers)
                assert (answer.status_code, answer.headers["content-type"]) == (200, kind), (headers, query)

    async def test_are_refused_if_they_are_none_of_ours(self, county: County) -> None:
        async with surgery(county) as desk:
            slot = await nine_o_clock(desk)
            for headers, query, status in self.REFUSED:
                answer = await desk.ask("practice", "GET", f"Slot/{slot}{query}", headers=headers)
                assert (answer.status_code, valid(answer)["issue"][0]["code"]) == (status, "not-supported")
            answer = await desk.ask("practice", "POST", "Appointment?_format=xml", json=appointment(slot))
            assert answer.status_code == 415
            assert (await desk.figures())["appointments"] == {}

    async def test_can_be_pretty_and_compressed(self, county: County) -> None:
        async with surgery(county) as desk:
            plain = await desk.ask("practice", "GET", "metadata", headers={"Accept-Encoding": "identity"})
            pretty = await desk.ask("practice", "GET", "metadata?_pretty=true", headers={"Accept-Encoding": "gzip"})
        assert pretty.headers["content-encoding"] == "gzip"
        assert "content-encoding" not in plain.headers
        assert pretty.json() == plain.json()
        assert pretty.text.startswith('{\n  "resourceType"')


class TestPreferring:
    async def test_nothing_back_gets_the_headers_alone(self, county: County) -> None:
        async with surgery(county) as desk:
            answer = await desk.book(await nine_o_clock(desk), headers={"Prefer": "return=minimal"})
            read = await desk.ask("practice", "GET", answer.headers["location"])
        assert (answer.status_code, answer.content) == (201, b"")
        assert answer.headers["etag"] == read.headers["etag"]
        assert valid(read)["status"] == "booked"

    async def test_an_outcome_gets_one(self, county: County) -> None:
        async with surgery(county) as desk:
            answer = await desk.book(await nine_o_clock(desk), headers={"Prefer": "return=OperationOutcome"})
        assert (answer.status_code, valid(answer)["resourceType"]) == (201, "OperationOutcome")


BODY: Any = appointment()
ERRORS: list[tuple[str, str, dict[str, str], bytes, int]] = [
    ("GET", "Patient/1", {}, b"", 404),
    ("GET", "nothing/at/all", {}, b"", 404),
    ("GET", "Appointment/nowhere", {}, b"", 404),
    ("GET", "Appointment/%00", {}, b"", 404),
    ("GET", "Appointment/%ED%A0%80", {}, b"", 404),
    ("GET", "Slot/nowhere", {}, b"", 404),
    ("GET", "Slot/%00", {}, b"", 404),
    ("GET", "Schedule/nowhere", {}, b"", 404),
    ("GET", "Schedule/%00/_history/%00", {}, b"", 404),
    ("DELETE", "Appointment/1", {}, b"", 405),
    ("PATCH", "Appointment/1", {}, b"", 405),
    ("PUT", "Slot/1", {}, b"", 405),
    ("PUT", "Appointment/%00", {"If-Match": 'W/"1"'}, b"{}", 404),
    ("GET", "Slot", {}, b"", 422),
    ("GET", "Slot?start=ge2024-07-22&end=le2024-08-06&status=free", {}, b"", 422),
    ("GET", "Slot?start=ge2024-07-22&end=le2024-07-23&status=free&schedule=%00", {}, b"", 422),
    ("POST", "Slot/_search", {"Content-Type": "application/json"}, b"{}", 415),
    ("POST", "Slot/_search", {"Content-Type": "application/x-www-form-urlencoded"}, b"start=%ff", 400),
    ("POST", "Appointment", {}, b"", 400),
    ("POST", "Appointment", {}, b"{", 400),
    ("POST", "Appointment", {}, b"[]", 400),
    ("POST", "Appointment", {}, b'{"resourceType": "Appointment", "resourceType": "Appointment"}', 400),
    ("POST", "Appointment", {}, b'{"resourceType": "Appointment", "description": "\\u0000"}', 400),
    ("POST", "Appointment", {}, b'{"resourceType": "Appointment", "description": "\\ud800"}', 400),
    ("POST", "Appointment", {}, b"[" * 200_000, 400),
    ("POST", "Appointment", {}, b'{"resourceType": "Appointment", "priority": 1e400}', 400),
    ("POST", "Appointment", {}, b'{"resourceType": "Appointment", "priority": 99999999999999999999999}', 422),
    ("POST", "Appointment", {}, b'{"resourceType": "Slot"}', 400),
    ("POST", "Appointment", {"Content-Type": "application/fhir+xml"}, b"<Appointment/>", 415),
    ("POST", "Appointment", {"Content-Type": "application/fhir+json; charset=utf-16"}, b"{}", 415),
    ("POST", "Appointment", {"Content-Encoding": "gzip"}, b"\x1f\x8b", 415),
    ("POST", "Appointment", {}, b" " * 300_000, 413),
    ("POST", "Appointment", {"Idempotency-Key": " "}, b"{}", 400),
    ("POST", "Appointment/nowhere/$reschedule", {"If-Match": 'W/"1"'}, b"{}", 404),
    ("POST", "", {}, b'{"resourceType": "Bundle", "type": "collection"}', 422),
    ("POST", "", {}, b'{"resourceType": "Bundle", "type": "batch", "entry": [{}]}', 422),
]  # fmt: skip


async def test_every_error_is_an_operation_outcome(county: County) -> None:
    async with surgery(county) as desk:
        for method, path, headers, content, status in ERRORS:
            answer = await desk.ask("practice", method, path, headers=headers, content=content)
            assert (method, path, content[:70], answer.status_code) == (method, path, content[:70], status)
            outcome = valid(answer)
            assert outcome["resourceType"] == "OperationOutcome"
            assert outcome["issue"][0]["diagnostics"]


async def test_a_method_that_is_not_allowed_is_told_which_are(county: County) -> None:
    async with surgery(county) as desk:
        answer = await desk.ask("practice", "DELETE", "Appointment/1")
    assert "PUT" in answer.headers["allow"]


async def test_who_may_not_is_told_so_in_fhir_too(county: County) -> None:
    async with surgery(county) as desk:
        nobody = await desk.http.get("/fhir/R4/Appointment/1", headers={"Authorization": ""})
        reader = {"Authorization": f"Bearer {county.token(scope='system/Appointment.rs')}"}
        cannot = await desk.http.post("/fhir/R4/Appointment", json=BODY, headers=reader)
    assert (nobody.status_code, valid(nobody)["issue"][0]["code"]) == (401, "login")
    assert refused(cannot) == (403, "missing-scope")
    assert valid(cannot)["issue"][0]["code"] == "forbidden"


async def test_a_search_by_form_is_the_same_as_by_address(county: County) -> None:
    async with surgery(county) as desk:
        await nine_o_clock(desk)
        params = {"start": "ge2024-07-22", "end": "le2024-07-26", "status": "free"}
        by_address = valid(await desk.ask("practice", "GET", "Slot", params=params))
        by_form = valid(await desk.ask("practice", "POST", "Slot/_search", data=params))
    assert (by_form["total"], by_form["entry"]) == (by_address["total"], by_address["entry"])
