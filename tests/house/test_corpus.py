"""The corpus: what was stored once is read as it was read then, folds everywhere, and no line of it is ever changed."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from services.booking.app import BLUEPRINT as BOOKING
from services.notifications.app import BLUEPRINT as NOTIFICATIONS
from services.rebooking.app import BLUEPRINT as REBOOKING
from shared.events.envelope import EVENTS, SERVICES, Recorded, decode
from shared.events.parking import EVERY
from shared.events.upcasting import RETIRED
from shared.parking import with_parking
from shared.service import Blueprint
from tests.house.corpus import (
    latest,
    meaning,
    missing,
    path_of,
    recorded_digests,
    running_digests,
    still_means,
)

STORED = latest()
EVERY_SERVICE = sorted(SERVICES)


def _stored() -> Iterator[Recorded]:
    return map(decode, STORED)


@pytest.mark.parametrize("service", EVERY_SERVICE)
def test_no_line_was_changed_dropped_or_put_between(service: str) -> None:
    assert running_digests(path_of(service).read_bytes()) == recorded_digests()[service]


def test_a_changed_a_dropped_and_a_strange_line_each_show_in_the_digests() -> None:
    kept = running_digests(b"one\ntwo\nthree\n")
    assert running_digests(b"one\ntwo\nthree\nfour\n")[:3] == kept
    for tampered in (b"one\ntoo\nthree\n", b"one\nthree\n", b"one\nzero\ntwo\nthree\n", b"two\none\nthree\n"):
        assert running_digests(tampered)[: len(kept)] != kept


def test_every_event_ever_stored_means_what_it_meant() -> None:
    changed = [line.means for body, line in STORED.items() if not still_means(line.means, meaning(decode(body)))]
    assert changed == []


def test_every_event_ever_stored_keeps_its_place() -> None:
    for body, recorded in zip(STORED, _stored(), strict=True):
        heading: dict[str, Any] = msgspec.json.decode(body)
        assert recorded.body == body
        assert (recorded.service, recorded.type) == (heading["source"].rpartition("/")[2], heading["type"])
        assert (recorded.id, recorded.position, recorded.version) == (
            heading["id"],
            heading["position"],
            heading["version"],
        )
        assert recorded.event.service in (recorded.service, EVERY)
        assert recorded.event.stream == recorded.stream == heading["subject"]
        assert recorded.event.at_practice == recorded.practice == heading["practice"]
        assert (recorded.causation_id, recorded.correlation_id, recorded.followed) == (
            heading.get("causationid", ""),
            heading.get("correlationid", ""),
            heading.get("followed", ""),
        )


def test_every_type_that_was_ever_published_is_in_the_corpus() -> None:
    assert {recorded.type for recorded in _stored()} == {*EVENTS, *RETIRED}


def test_the_corpus_lacks_nothing_of_today() -> None:
    assert [line.means for line in missing(STORED)] == [], "add it: .venv/bin/python -m tests.house.corpus"


@pytest.mark.parametrize("blueprint", [BOOKING, REBOOKING, NOTIFICATIONS], ids=lambda each: each.name)
def test_every_event_ever_stored_can_be_folded(blueprint: Blueprint) -> None:
    everything = dict.fromkeys(SERVICES, 7)
    assert list(blueprint.changes(_stored(), everything))

    decider = with_parking(blueprint.decider)
    initial, evolve = decider.initial, decider.evolve
    states: defaultdict[str, Any] = defaultdict(lambda: initial)
    for recorded in _stored():
        if recorded.service == blueprint.name:
            evolve(initial, recorded.event)
            states[recorded.stream] = evolve(states[recorded.stream], recorded.event)
    assert len(states) > 1


@pytest.mark.parametrize(
    ("now", "same"),
    [
        ({"a": 1, "b": [{"c": "x"}]}, True),
        ({"a": 1, "b": [{"c": "x", "added": ""}], "added": None}, True),
        ({"a": 2, "b": [{"c": "x"}]}, False),
        ({"b": [{"c": "x"}]}, False),
        ({"a": 1, "b": [{"c": "y"}]}, False),
        ({"a": 1, "b": []}, False),
        ({"a": 1, "b": [{"c": None}]}, False),
    ],
)
def test_a_meaning_may_gain_fields_and_nothing_else(now: dict[str, Any], same: bool) -> None:
    assert still_means({"a": 1, "b": [{"c": "x"}]}, now) is same
