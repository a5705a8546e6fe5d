"""What texts would come to, before anybody says yes to the plan they tell of."""

from collections.abc import Sequence
from dataclasses import fields
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from services.notifications.app import BLUEPRINT, Settings, create
from services.notifications.commands import SuppressNumber
from services.notifications.preview import Tally
from services.notifications.preview_api import ProposedNotice
from services.notifications.replies import ReplyText
from services.rebooking.notices import Notice
from shared.events.booking import PracticeRegistered
from shared.refusals import Refusal
from shared.seal import PatientBlock
from tests.harness import County
from tests.issuer import bearer
from tests.notifications.diary import ELSEWHERE, NOW, PRACTICE
from tests.notifications.town import QUICK, Town, states, town, until_all

PRICE = Decimal("2.4")
START = (NOW + timedelta(days=1)).isoformat()


async def notices(here: Town, people: Sequence[tuple[str, str]], to_practice: str = "") -> list[dict[str, Any]]:
    """As rebooking lists them, for patients of these first names and telephone numbers."""
    running = here.running
    ids = [running.keys.pseudonym("patient", f"previewed {name}") for name, _ in people]
    keys = await running.keys.ensure(ids)
    return [
        {
            "appointment": f"lost-{name}",
            "patient": patient,
            "practice": PRACTICE,
            "to_practice": to_practice,
            "to_start": START,
            "sealed": keys[patient].seal(PatientBlock(nhs_number="9990000018", given_name=name, mobile=mobile)),
        }
        for patient, (name, mobile) in zip(ids, people, strict=True)
    ]


async def previewed(here: Town, asked: list[dict[str, Any]]) -> Any:
    answer = await here.http.post("/v1/messages/preview", json={"notices": asked}, headers=here.operator)
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    return answer.json()


def test_segments_and_cost_are_counted_and_the_longest_is_shown() -> None:
    tally = Tally()
    for text in ("Sam, yes", "Ann, " + "a" * 160, "李, yes", "Bob, yes"):
        tally.add(text)
    preview = tally.preview(PRICE)
    assert (preview.messages, preview.segments, preview.by_segments, preview.ucs2) == (4, 5, {1: 3, 2: 1}, 1)
    assert (preview.price_pence, preview.cost_pence) == (PRICE, Decimal("12.0"))
    assert preview.longest
    assert preview.longest.text.startswith("Ann")
    assert (preview.longest.coding, preview.longest.units, preview.longest.segments) == ("gsm-7", 165, 2)
    assert preview.typical
    assert preview.typical.units == 8


def test_a_text_that_breaks_a_rule_is_a_call() -> None:
    tally = Tally()
    tally.add("999 000 0018, yes")
    preview = tally.preview(PRICE)
    assert (preview.messages, preview.against_rules, preview.longest, preview.typical) == (0, 1, None, None)


async def test_a_campaign_is_previewed_and_nothing_is_sent_or_kept(county: County, tmp_path: Path) -> None:
    async with town(county, tmp_path) as here:
        await here.diary.publish(
            [PracticeRegistered(practice=ELSEWHERE, name="Mill Lane", town="Deal", postcode="CT14 6AA")]
        )
        await here.diary.move(7)
        await until_all(here.running, 1, "delivered")
        silent = here.running.keys.pseudonym("number", "+447700900199")
        await here.running.executor.execute(SuppressNumber(silent, "STOP", ()))
        people = [
            ("Ann", "+447700900111"),
            ("Łukasz", "+447700900112"),
            ("Siân", "+447700900113"),
            ("Bob", "+447700900114"),
            ("Cyd", "+447700900114"),
            ("Deb", "+447700900107"),
            ("Eve", "+447700900199"),
            ("Fay", "+441632960123"),
            ("Gus", ""),
            ("999 000 0018", "+447700900115"),
            ("", "+447700900116"),
        ]
        asked = await notices(here, people)
        away = await notices(here, [("Hal", "+447700900117")], ELSEWHERE)
        erased = {**asked[0], "patient": here.running.keys.pseudonym("patient", "erased")}
        unopened = {**asked[0], "sealed": "AAAA"}
        before = await states(here.running), here.running.relay.position

        preview = await previewed(here, [*asked, *away, erased, unopened])

        assert (preview["messages"], preview["segments"]) == (7, 10)
        assert preview["by_segments"] == {"1": 5, "2": 1, "3": 1}
        assert (preview["ucs2"], preview["price_pence"], preview["cost_pence"]) == (1, 2.4, 24.0)
        assert {name: preview[name] for name in ("without_mobile", "opted_out", "erased", "against_rules")} == {
            "without_mobile": 2,
            "opted_out": 1,
            "erased": 2,
            "against_rules": 2,
        }
        assert (preview["longest"]["text"][:6], preview["longest"]["coding"]) == ("Łukasz", "ucs-2")
        assert preview["typical"]["segments"] == 1
        assert before == (await states(here.running), here.running.relay.position)

        elsewhere = (await previewed(here, away))["longest"]["text"]
        assert elsewhere.startswith(
            "Hal, Harbour Surgery has moved your appointment to Tuesday 23 July 2024 at 10am, at"
        )
        assert "another GP surgery: Mill Lane, Deal CT14 6AA.\nReply 2 to change it" in elsewhere

        # Bob and Cyd share a telephone; at Deb's a text to Sam7 waits for an answer.
        for sharing in ({"lost-Bob", "lost-Cyd"}, {"lost-Deb"}):
            coded = await previewed(here, [each for each in asked if each["appointment"] in sharing])
            assert "\nReply 2 0000 to change it, 3 0000 to cancel." in coded["typical"]["text"]


async def test_what_cannot_be_previewed_is_refused(county: County, tmp_path: Path) -> None:
    async with town(county, tmp_path) as here:
        await here.heard()
        (good,) = await notices(here, [("Ann", "+447700900111")])
        key = (await here.running.keys.find({good["patient"]}))[good["patient"]]
        for wrong, where in (
            ({"sealed": key.seal(ReplyText("no"))}, "notices[1].sealed"),
            ({"practice": "Z99"}, "practice"),
            ({"to_start": "2024-07-23T09:00:00"}, "to_start"),
            ({"nhs_number": "9990000018"}, "nhs_number"),
        ):
            body = {"notices": [good, {**good, **wrong}]}
            answer = await here.http.post("/v1/messages/preview", json=body, headers=here.operator)
            assert answer.status_code == 422, answer.text
            assert where in answer.json()["where"]
            assert "9990000018" not in answer.text
        many = {"notices": [good] * 5001}
        assert (await here.http.post("/v1/messages/preview", json=many, headers=here.operator)).status_code == 422
        practice = bearer(county.token(PRACTICE))
        assert (await here.http.post("/v1/messages/preview", json={"notices": []}, headers=practice)).status_code == 403
        nobody = await previewed(here, [])
        assert (nobody["messages"], nobody["cost_pence"], nobody["longest"]) == (0, 0, None)


def test_what_rebooking_lists_is_what_is_asked_with() -> None:
    assert {field.name for field in fields(Notice)} == set(ProposedNotice.model_fields)


async def test_a_wrong_template_is_refused_at_start(county: County, tmp_path: Path) -> None:
    (tmp_path / "en").mkdir()
    (tmp_path / "en" / "moved.txt").write_text("$first_name, $practice: $when.\nReply 3 to cancel $clinic.")
    settings = await county.settings(BLUEPRINT, Settings, **QUICK, templates=tmp_path)
    with pytest.raises(Refusal, match=r"en/moved.txt, line 2: write 3\$code.* no variable \$clinic"):
        create(settings)
