"""Many changes of one row come to one change of it."""

from typing import Any

import pytest
from sqlalchemy import Column, MetaData, Table, Text

from shared.project import Change, Patch, Put, Remove, coalesce

slots = Table("slots", MetaData(), Column("slot", Text, primary_key=True), Column("taken_by", Text))


def put(taken_by: str) -> Put:
    return Put(slots, {"slot": "s", "taken_by": taken_by})


def patch(taken_by: str) -> Patch:
    return Patch(slots, {"slot": "s"}, {"taken_by": taken_by})


REMOVE = Remove(slots, {"slot": "s"})


@pytest.mark.parametrize(
    ("changes", "outcome"),
    [
        ([put("a"), put("b")], put("b")),
        ([put("a"), patch("b")], put("b")),
        ([patch("a"), patch("b")], patch("b")),
        ([patch("a"), put("b")], put("b")),
        ([put("a"), REMOVE], REMOVE),
        ([REMOVE, put("a")], put("a")),
        ([REMOVE, patch("a")], REMOVE),
    ],
)
def test_the_last_word_on_a_row_stands(changes: list[Change], outcome: Change) -> None:
    assert coalesce(changes) == {slots: {"s": outcome}}


def test_rows_with_other_keys_are_left_alone() -> None:
    other: dict[str, Any] = {"slot": "t", "taken_by": ""}

    assert coalesce([put("a"), Put(slots, other)]) == {slots: {"s": put("a"), "t": Put(slots, other)}}
