"""Whom a text can be written to, and which text is not sent."""

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

import pytest

from services.notifications.addressees import Addressee
from services.notifications.commands import PlanMessage
from services.notifications.handing_over import Session
from services.notifications.outbox import Due
from services.notifications.replies import code_of
from services.notifications.templating import load
from services.notifications.wording import Text
from services.notifications.writing import ERASED, NO_MOBILE, Letter, Recipient, Untold, Writer
from shared.seal import DataKey, Keys, PatientBlock
from tests.harness import MASTER_KEY
from tests.notifications.ledger import ABOUT

KEY = DataKey("patient-1", bytes(32))
ANEW = DataKey("patient-1", bytes([1] * 32))
"""The key of who was erased, and then entered again."""
NUMBERS = Keys(MASTER_KEY, cast(Any, None), cast(Any, None))
WRITER = Writer(load(None, "en"), NUMBERS, made_up=True)


def addressee(mobile: str = "+447700900101", practice: str = "Harbour Surgery", first_name: str = "Sam") -> Addressee:
    block = PatientBlock(nhs_number="9990000018", given_name=first_name, mobile=mobile)
    start = datetime(2024, 7, 23, 8, 40, tzinfo=UTC)
    return Addressee("appointment-2", "patient-1", KEY.seal(block), "G82002", practice, start)


def due(patient: str, sealed: str) -> Due:
    start = datetime(2024, 7, 23, 8, 40, tzinfo=UTC)
    return Due(f"to {patient}", "moved", "number", patient, "appointment", sealed, start, 0, 0, "notify", None)


def written(to: Addressee, *, coded: bool = False) -> PlanMessage | Untold:
    who = WRITER.recipient(to, KEY)
    assert isinstance(who, Recipient)
    return WRITER.write(Letter("message-1", "moved", ABOUT, coded), to, who)


@pytest.mark.parametrize(
    "mobile", ["", "01632 960123", "020 7946 0000", "+33612345678", "07012 345678", "0740O123456", "07400", "no mobile"]
)
def test_what_is_no_uk_mobile_is_not_written_to(mobile: str) -> None:
    assert WRITER.recipient(addressee(mobile), KEY) == Untold(NO_MOBILE)


def test_a_number_that_cannot_be_anyones_is_written_to_only_where_people_are_made_up() -> None:
    live = Writer(WRITER.wordings, NUMBERS, made_up=False)
    assert isinstance(WRITER.recipient(addressee(), KEY), Recipient)
    assert live.recipient(addressee(), KEY) == Untold(NO_MOBILE)
    assert isinstance(live.recipient(addressee("07400 123456"), KEY), Recipient)


def test_a_telephone_is_the_same_however_its_number_is_written() -> None:
    found = {WRITER.recipient(addressee(mobile), KEY) for mobile in ("07400 123456", "+44 7400 123456")}
    assert found == {Recipient("Sam", "+447400123456", NUMBERS.pseudonym("number", "+447400123456"), KEY)}


def test_whose_data_was_erased_is_not_written_to() -> None:
    assert WRITER.recipient(addressee(), None) == Untold(ERASED)
    assert WRITER.recipient(addressee(), ANEW) == Untold(ERASED)


async def test_a_text_that_its_patients_key_opens_no_more_keeps_no_other_from_being_sent() -> None:
    async def find(_: object) -> dict[str, DataKey]:
        return {"patient-1": KEY, "patient-2": ANEW}

    nothing = cast(Any, None)
    running = cast(Any, SimpleNamespace(keys=SimpleNamespace(find=find)))
    text = Text("+447700900101", "Dear Sam")
    waiting = [due(patient, KEY.seal(text)) for patient in ("patient-1", "patient-2", "patient-3")]
    assert await Session(running, nothing, nothing, nothing, nothing).open(waiting) == {"to patient-1": text}


def test_what_is_planned_is_sealed_words_to_one_telephone() -> None:
    plan = written(addressee(), coded=True)
    assert isinstance(plan, PlanMessage)
    text = KEY.open(plan.sealed, Text)
    assert (text.to, plan.about, plan.segments) == ("+447700900101", ABOUT, 1)
    assert f"Reply 2 {code_of('message-1')} to change it" in text.body


@pytest.mark.parametrize(
    ("practice", "first_name", "rule"),
    [
        ("Surgery 9990000018", "Sam", "it holds an NHS number"),
        ("Harbour Surgery www.example.com", "Sam", "a link has to be whole"),
        ("Harbour Surgery", "", "it begins with no name"),
        ("Harbour Surgery " + "and Branch " * 90, "Sam", "it is longer than 918 characters"),
    ],
)
def test_a_text_that_a_name_makes_break_a_rule_is_not_sent(practice: str, first_name: str, rule: str) -> None:
    broken = written(addressee(practice=practice, first_name=first_name))
    assert isinstance(broken, Untold)
    assert broken.reason.startswith(f"The text may not be sent: {rule}")
