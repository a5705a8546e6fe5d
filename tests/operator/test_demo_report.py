"""The report of the demo: its keys, and that nothing lost, doubled or unequal goes unsaid."""

from typing import Any

import msgspec
import pytest
from rich.console import Console

from services.operator.demo_report import Expected, Rebuilt, Replies, Report, Seconds, faults, figures

EXPECTED = Expected(
    practices=181, appointments=1_000, seen_on_paper=100, cancelled=20, moves_at_booking=432, textable_moves=380,
    confirmations_planned=37, at_gateway=417, replies=Replies(keep=22, another_time=9, cancel=6),
    offers=Replies(keep=22, another_time=9, cancel=6), cancelled_by_patients=6,
)  # fmt: skip
GOOD = Report(
    practices=181, appointments=1_000, seen_on_paper=100, cancelled=20, triage=450, displaced=430, planned=425,
    moved=425, unplaced=5, messages_planned=380, messages_accepted=380, messages_duplicated=0,
    replies=Replies(keep=22, another_time=9, cancel=6), double_booked=0, ring_fenced_used=0,
    fresh_offers=7, another_time_to_call=2, confirmations=37,
    rebuilt={"rebooking": Rebuilt(events=5_000, seconds=1.5, equal=True, texts=0)},
    seconds=Seconds(generate=1, importing=2, plan=3, move=4, messages_planned=5, total=20),
)  # fmt: skip


def test_a_day_that_adds_up_has_no_faults() -> None:
    assert faults(GOOD, EXPECTED) == ()


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"practices": 180}, "180 practices registered, but 181 in the county"),
        ({"appointments": 999, "triage": 449}, "999 appointments found, but 1,000 on the lost day"),
        ({"triage": 449}, "999 appointments accounted for, but 1,000 found"),
        ({"seen_on_paper": 99, "triage": 451}, "99 seen, but 100 seen by the paper"),
        ({"cancelled": 21, "triage": 449}, "21 cancelled, but 20 cancelled by the paper"),
        ({"unplaced": 4}, "429 moved or without a place, but 430 displaced"),
        ({"planned": 426}, "425 moved, but 426 planned"),
        ({"another_time_to_call": 1}, "8 fresh offers or calls, but 9 asked for another time"),
        ({"messages_accepted": 379}, "379 messages accepted, but 380 planned"),
        (
            {"messages_planned": 381, "messages_accepted": 381},
            "381 messages planned, but 380 moved patients who can be texted",
        ),
        (
            {"replies": Replies(22, 9, 5)},
            "replies received: 22 keep, 9 another time, 5 cancel; but patients sent: 22 keep, 9 another time, 6 cancel",
        ),
        ({"double_booked": 1}, "1 slots were held by two appointments at once"),
        ({"messages_duplicated": 2}, "2 messages were more than one for one change"),
        ({"ring_fenced_used": 3}, "3 moves took a slot kept for NHS 111 or for the same day"),
        ({"rebuilt": {}}, "no service was rebuilt"),
        (
            {"rebuilt": {"rebooking": Rebuilt(5_000, 1.5, False, 0)}},
            "rebooking, rebuilt from the stream, is not what it was",
        ),
        ({"rebuilt": {"notifications": Rebuilt(5_000, 1.5, True, 2)}}, "rebuilding notifications sent 2 messages"),
    ],
)
def test_whatever_is_lost_doubled_or_unequal_is_said(wrong: dict[str, Any], said: str) -> None:
    assert said in faults(msgspec.structs.replace(GOOD, **wrong), EXPECTED)


@pytest.mark.parametrize(
    ("otherwise", "said"),
    [
        ({"moves_at_booking": 433}, "432 moves confirmed, but 433 made by booking"),
        ({"textable_moves": 381}, "380 messages planned, but 381 moved patients who can be texted"),
        ({"at_gateway": 418}, "417 messages and confirmations accepted, but 418 in the gateway's own list"),
        ({"confirmations_planned": 38}, "37 answers confirmed, but 38 to be confirmed"),
        ({"cancelled_by_patients": 5}, "5 appointments called off by patients, but 6 asked for"),
        (
            {"offers": Replies(22, 8, 6)},
            "answers that reached rebooking: 22 keep, 8 another time, 6 cancel; "
            "but received: 22 keep, 9 another time, 6 cancel",
        ),
    ],
)
def test_where_two_witnesses_differ_both_are_quoted(otherwise: dict[str, Any], said: str) -> None:
    assert faults(GOOD, msgspec.structs.replace(EXPECTED, **otherwise)) == (said,)


def test_the_report_has_exactly_the_promised_keys() -> None:
    written = msgspec.to_builtins(GOOD)
    keys = list(written)
    assert keys[:6] == ["practices", "appointments", "seen_on_paper", "cancelled", "triage", "displaced"]
    assert keys[6:9] == ["planned", "moved", "unplaced"]
    assert keys[9:12] == ["messages_planned", "messages_accepted", "messages_duplicated"]
    assert keys[12:] == [
        "replies", "double_booked", "ring_fenced_used", "fresh_offers", "another_time_to_call", "confirmations",
        "rebuilt", "seconds",
    ]  # fmt: skip
    assert list(written["replies"]) == ["keep", "another_time", "cancel"]
    assert list(written["rebuilt"]["rebooking"]) == ["events", "seconds", "equal", "texts"]
    assert list(written["seconds"]) == ["generate", "import", "plan", "move", "messages_planned", "total"]


def test_the_table_shows_every_figure_to_a_person() -> None:
    console = Console(width=80)
    with console.capture() as shown:
        console.print(figures(GOOD))
    for text in ("1,000", "450", "425", "380", "another time", "5,000", "equal to what it was"):
        assert text in shown.get()
