"""An event of a retired type is read as what it has become, and stays as it was stored.

No published type has been retired yet, so the way is proved on one that never was: `practice-thawed` named its cause as
a stream in its first version, the outage in its second, and became `practice-reopened`.
"""

from collections.abc import Mapping

import msgspec
import pytest

from shared.events.base import Event, event_name, event_type
from shared.events.booking import PracticeRegistered, PracticeReopened
from shared.events.envelope import Recorded, UnreadableEvent, decode, types_of, with_body
from shared.events.upcasting import Data, Retired
from shared.project import Patch
from tests.house.examples import in_the_log
from tests.shared.toys import practices

REOPENED = event_type(PracticeReopened)
FIRST, SECOND = "uk.daybook.booking.practice-thawed.v1", "uk.daybook.booking.practice-thawed.v2"


def _named_outage(data: Data) -> Data:
    return {"practice": data["practice"], "outage": data["cause"].removeprefix("outage/")}


RETIRED: Mapping[str, Retired] = {FIRST: Retired(SECOND, _named_outage), SECOND: Retired(REOPENED, dict)}


def stored(kind: str, **data: str) -> bytes:
    """As an older version of Daybook wrote it."""
    today = msgspec.json.decode(with_body(in_the_log(PracticeReopened(practice="G82002", outage="outage-1"))).body)
    return msgspec.json.encode({**today, "type": kind, "data": data})


@pytest.fixture(params=["first", "second"])
def older(request: pytest.FixtureRequest) -> Recorded:
    """The same fact, as stored by each older version."""
    if request.param == "first":
        return decode(stored(FIRST, practice="G82002", cause="outage/outage-1"), RETIRED)
    return decode(stored(SECOND, practice="G82002", outage="outage-1"), RETIRED)


def test_every_version_is_read_as_the_event_of_today(older: Recorded) -> None:
    today = in_the_log(PracticeReopened(practice="G82002", outage="outage-1"))
    assert msgspec.structs.replace(older, body=b"", stored_as="") == today


def test_it_is_folded_like_any_other(older: Recorded) -> None:
    frozen = practices.State(name="Fernhill Surgery", frozen_by="outage-1")
    assert practices.evolve(frozen, older.event) == practices.State(name="Fernhill Surgery")
    assert list(practices.project(older)) == [Patch(practices.practices, {"practice": "G82002"}, {"frozen_by": ""})]


def test_it_keeps_the_type_and_the_subject_under_which_it_was_stored(older: Recorded) -> None:
    heading = msgspec.json.decode(older.body)
    assert older.type == heading["type"] != REOPENED
    assert older.subject == "daybook.booking.G82002.practice-thawed"


def test_an_event_of_today_passes_no_upcaster() -> None:
    def never(_: Data) -> Data:
        raise AssertionError("an event of today needs none")

    written = with_body(in_the_log(PracticeReopened(practice="G82002", outage="outage-1")))
    assert decode(written.body, {FIRST: Retired(REOPENED, never)}) == written
    assert written.type == REOPENED


def test_who_asks_for_an_event_asks_for_what_was_stored_before_it_too() -> None:
    assert types_of(PracticeReopened, RETIRED) == (REOPENED, SECOND, FIRST)
    assert types_of(PracticeRegistered, RETIRED) == (event_type(PracticeRegistered),)


def test_a_type_that_is_neither_written_nor_retired_is_refused() -> None:
    with pytest.raises(UnreadableEvent, match=r"practice-thawed.v1' is not known here"):
        decode(stored(FIRST, practice="G82002", cause="outage/outage-1"))


def test_data_that_do_not_fit_after_all_are_refused() -> None:
    with pytest.raises(UnreadableEvent, match="not a Daybook event"):
        decode(stored(SECOND, practice="G82002"), RETIRED)


def test_a_changed_meaning_counts_up_the_type_and_keeps_the_subject() -> None:
    class PracticeThawed(Event, frozen=True):
        service, revision = "booking", 2

    assert (event_type(PracticeThawed), event_name(PracticeThawed)) == (SECOND, "practice-thawed")
