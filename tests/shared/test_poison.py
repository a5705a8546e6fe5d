"""Among many events those at fault are found, and whatever is recorded of all of them keeps the order they came in."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, cast

import pytest

from shared.events.envelope import Recorded
from shared.execute import Order
from shared.log import Head
from shared.poison import Apart, TooManyWait
from shared.taking import Taken
from tests.shared.test_parked import frozen, logged, registered


class Desk:
    """Takes any events but some, and writes down what was appended, a line for each time."""

    def __init__(self, *bad: str) -> None:
        self.bad = bad
        self.tries = 0
        self.appended: list[str] = []

    async def take(
        self,
        connection: object,
        head: Head,
        events: Sequence[Recorded],
        before: Mapping[str, str],
        more: Sequence[Order[Any]] = (),
        earlier: Sequence[Order[Any]] = (),
    ) -> Taken:
        self.tries += 1
        if any(each.id in self.bad for each in events):
            raise KeyError("Ada")
        parked = [f"({order.causation_id})" for order in [*earlier, *more]]
        self.appended.append(
            " ".join([*parked[: len(earlier)], *(each.id for each in events), *parked[len(earlier) :]])
        )
        return Taken(events, [], lambda: None)

    @asynccontextmanager
    async def begin_nested(self) -> AsyncIterator[None]:
        yield


def apart(desk: Desk, events: Sequence[Recorded], *, search: bool = True) -> Apart:
    before, sequences = {each.id: "" for each in events}, {each.id: each.position for each in events}
    return Apart("rebooking", cast(Any, desk), cast(Any, desk), Head(0, {}), set(), before, sequences, search)


async def test_what_waits_is_appended_in_its_place_and_with_what_follows_it() -> None:
    events = logged(registered("G1"), registered("G2"), frozen("G2"), frozen("G1"), frozen("G1"), registered("G3"))
    desk = Desk("event-1")
    found = apart(desk, events)

    await found.take(events)

    assert desk.appended == ["(event-1) event-2 event-3", "(event-4) (event-5) event-6"]
    assert [cause.id for cause in found.came_of()[0]] == ["event-2", "event-3", "event-6"]


async def test_what_waits_at_the_end_is_appended_at_once() -> None:
    events = logged(*(registered(f"G{number}") for number in range(8)))
    desk = Desk(*(f"event-{number}" for number in range(3, 9)))

    await apart(desk, events).take(events)

    assert desk.appended == ["event-1 event-2", " ".join(f"(event-{number})" for number in range(3, 9))]


async def test_while_nobody_looks_for_them_one_try_is_all_there_is() -> None:
    events = logged(*(registered(f"G{number}") for number in range(60)))
    desk = Desk(*(each.id for each in events))
    with pytest.raises(TooManyWait, match="more than 50 streams could not be folded"):
        await apart(desk, events).take(events)

    desk.tries = 0
    with pytest.raises(TooManyWait, match="more than 50 streams could not be folded"):
        await apart(desk, events, search=False).take(events)
    assert desk.tries == 1

    desk.bad = ()
    await apart(desk, events, search=False).take(events)
    assert len(desk.appended) == 1
