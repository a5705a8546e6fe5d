"""The benchmark of rebuilds works: both sides read the same events, and what ours makes of them is proven.

Its figures are for a quiet machine, and its history is the demo's; here it is a few hundred made-up events.
"""

import os
from dataclasses import fields, is_dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from msgspec import Struct

from benchmarks.long_history import history
from benchmarks.peers import eventsourcing_log as peer
from benchmarks.rebuild import compare
from benchmarks.rebuild_figures import tell
from benchmarks.rebuild_stand import Standing, fill_peer
from benchmarks.report import Report
from services.booking.app import BLUEPRINT as BOOKING
from services.notifications.app import BLUEPRINT as NOTIFICATIONS
from services.notifications.app import Settings
from shared.broker import connect
from shared.events.envelope import decode
from shared.stream import Message, publish
from tests.harness import MASTER_KEY, County
from tests.house.corpus import latest
from tests.notifications.sandbox import KEY, TOKEN

EVENTS = 500
_GATEWAY = {"gateway_key": KEY, "callback_token": TOKEN}


@pytest.fixture
async def standing(county: County, tmp_path: Path) -> Standing:
    """A stream of booking's events, which notifications has followed to its end."""
    await _publish(county, EVENTS)
    async with county.service(NOTIFICATIONS, Settings, **_GATEWAY) as notifications:
        await county.caught_up()
        settings = notifications.settings
    environment = {
        **os.environ,
        "NOTIFICATIONS_DATABASE_URL": settings.database_url,
        "NOTIFICATIONS_NATS_URL": settings.nats_url,
        "OPERATOR_NATS_URL": county.servers.nats.url("operator"),
        "DAYBOOK_MASTER_KEY": MASTER_KEY,
        "DAYBOOK_TOKEN_KEYS": settings.token_keys,
        **{f"NOTIFICATIONS_{name.upper()}": value for name, value in _GATEWAY.items()},
        "DAYBOOK_SNAPSHOTS": str(tmp_path / "snapshots"),
    }
    return Standing(environment, await county.servers.database(BOOKING), {})


async def _publish(county: County, events: int) -> None:
    client = await connect(county.servers.nats.url("booking"), "booking")
    try:
        await publish(client, [Message(each.subject, each.id, each.body) for each in islice(history(), events)])
    finally:
        await client.close()


async def test_a_rebuild_and_the_library_read_the_same_events(standing: Standing, tmp_path: Path) -> None:
    report = Report(tmp_path / "report.md")

    unlike = await fill_peer(standing, report)
    found = compare(standing, ("notifications",), report)
    tell([found], report)

    assert (unlike, found.faults) == ([], [])
    assert found.rebuilt["notifications"].whole.events == EVENTS
    assert "times** as fast as the library reads and decodes its" in (tmp_path / "report.md").read_text()


@pytest.mark.parametrize("way", peer.WAYS)
def test_the_library_gives_back_every_type_of_event_field_for_field(way: str) -> None:
    make_mapper, to_domain_event = peer.WAYS[way]
    mapper = make_mapper()

    for recorded in map(decode, latest()):
        read = mapper.to_domain_event(mapper.to_stored_event(to_domain_event(recorded)))

        assert (read.originator_version, getattr(read, "event_id")) == (recorded.version, recorded.id)  # noqa: B009
        for name in recorded.event.__struct_fields__:
            assert _plain(getattr(read, name)) == _plain(getattr(recorded.event, name))


def _plain(value: Any) -> Any:
    """By the names of fields, whatever holds them."""
    if isinstance(value, Struct):
        return {name: _plain(getattr(value, name)) for name in value.__struct_fields__}
    if is_dataclass(value):
        return {each.name: _plain(getattr(value, each.name)) for each in fields(value)}
    return [_plain(each) for each in value] if isinstance(value, (list, tuple)) else value
