"""Many changes of one row come to one change of it."""

import pytest
from msgspec.structs import asdict
from sqlalchemy import Column, MetaData, Table, Text

from shared.project import Change, Patch, Put, Remove, coalesce, row_of

slots = Table("slots", MetaData(), Column("slot", Text, primary_key=True), Column("taken_by", Text))
pairs = Table(
    "pairs",
    MetaData(),
    Column("left", Text, primary_key=True),
    Column("note", Text),
    Column("right", Text, primary_key=True),
)


def put(taken_by: str, slot: str = "s") -> Put:
    return Put(slots, row_of(slots)(slot=slot, taken_by=taken_by))


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
    other = put("", slot="t")

    assert coalesce([put("a"), other]) == {slots: {"s": put("a"), "t": other}}


def test_a_row_is_found_by_a_key_of_several_columns_however_that_is_named() -> None:
    taken = Put(pairs, row_of(pairs)(note="", right="r", left="l"))
    noted = Patch(pairs, {"right": "r", "left": "l"}, {"note": "n"})

    assert coalesce([taken, noted]) == {pairs: {("l", "r"): Put(pairs, row_of(pairs)(left="l", right="r", note="n"))}}


def test_a_row_has_exactly_the_columns_of_its_table_in_their_order() -> None:
    row = row_of(pairs)(note="n", right="r", left="l")

    assert list(asdict(row).items()) == [("left", "l"), ("note", "n"), ("right", "r")]


@pytest.mark.parametrize(
    ("columns", "fault"),
    [
        ({"left": "l", "right": "r"}, "Missing required argument 'note'"),
        ({"left": "l", "right": "r", "note": "n", "more": "m"}, "Unexpected keyword argument 'more'"),
    ],
)
def test_a_row_of_other_columns_cannot_be_made(columns: dict[str, str], fault: str) -> None:
    with pytest.raises(TypeError, match=fault):
        row_of(pairs)(**columns)


def test_no_column_changes_that_the_row_does_not_have() -> None:
    with pytest.raises(TypeError, match="no field 'more'"):
        coalesce([put("a"), Patch(slots, {"slot": "s"}, {"more": "m"})])
