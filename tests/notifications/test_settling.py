"""Receipts come doubled, late and in any order, and settle to the same."""

from collections.abc import Sequence
from random import Random

from hypothesis import given as for_all
from hypothesis import strategies as st

from services.notifications.commands import Command, RecordAccepted, RecordReceipt, RecordSilent, RecordUnknown
from services.notifications.conversations import Conversation
from services.notifications.decider import DECIDER
from tests.notifications.ledger import MESSAGE, attempted, planned

NEWS: Sequence[Command] = [
    RecordAccepted(MESSAGE, 1, "notify", "p-1"),
    RecordUnknown(MESSAGE, 1),
    RecordReceipt(MESSAGE, 1, "notify", "p-1", "technical"),
    RecordReceipt(MESSAGE, 1, "notify", "p-1", "temporary"),
    RecordReceipt(MESSAGE, 1, "notify", "p-1", "permanent"),
    RecordReceipt(MESSAGE, 1, "notify", "p-1", "delivered"),
]


def settled(news: Sequence[Command]) -> Conversation:
    stream = f"message/{MESSAGE}"
    state = DECIDER.initial
    state = DECIDER.evolve(DECIDER.evolve(state, planned), attempted(1))
    for command in news:
        for event in DECIDER.decide({stream: state}, command):
            state = DECIDER.evolve(state, event)
    assert isinstance(state, Conversation)
    return state


@for_all(st.lists(st.sampled_from(NEWS), min_size=1), st.randoms())
def test_the_order_and_number_of_receipts_change_nothing(told: list[Command], chance: Random) -> None:
    otherwise = [*told, *told]
    chance.shuffle(otherwise)
    assert settled(told) == settled(otherwise)


@for_all(st.lists(st.sampled_from(NEWS[2:]), min_size=1))
def test_silence_before_the_receipts_changes_nothing(told: list[Command]) -> None:
    silent: Sequence[Command] = [RecordAccepted(MESSAGE, 1, "notify", "p-1"), RecordSilent(MESSAGE, 1)]
    assert settled([*silent, *told]) == settled(told)
