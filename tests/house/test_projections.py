"""Folding: every event is of use to someone, each table has one source, and no table makes up a value of its own."""

from collections import defaultdict

import pytest
from sqlalchemy import Column, Table

from services.booking.app import BLUEPRINT as BOOKING
from services.notifications.app import BLUEPRINT as NOTIFICATIONS
from services.rebooking.app import BLUEPRINT as REBOOKING
from shared.events.base import Event
from shared.events.envelope import EVENTS
from shared.events.parking import OF_EACH_ITSELF
from shared.project import Projection, Put, row_of
from shared.service import Blueprint
from tests.house.examples import all_recorded

BLUEPRINTS = (BOOKING, REBOOKING, NOTIFICATIONS)

HISTORY: dict[type[Event], str] = dict.fromkeys(OF_EACH_ITSELF, "folded by `shared.parking` into the log's own tables")
"""Event types that no table shows and nothing reacts to, and why they are recorded all the same."""

FOR_TABLES = [recorded for recorded in all_recorded() if type(recorded.event) not in OF_EACH_ITSELF]

services = pytest.mark.parametrize("blueprint", BLUEPRINTS, ids=lambda blueprint: blueprint.name)


def _sources(blueprint: Blueprint) -> dict[str, Projection]:
    return {blueprint.name: blueprint.project, **blueprint.follows}


def _folded(blueprint: Blueprint) -> dict[str, dict[type[Event], set[Table]]]:
    """Per source, which tables each of its event types changes."""
    folded: dict[str, dict[type[Event], set[Table]]] = defaultdict(lambda: defaultdict(set))
    for recorded in FOR_TABLES:
        if project := _sources(blueprint).get(recorded.service):
            folded[recorded.service][type(recorded.event)] |= {change.table for change in project(recorded)}
    return folded


@services
def test_a_table_is_folded_from_one_service_only(blueprint: Blueprint) -> None:
    sources = defaultdict(set)
    for source, events in _folded(blueprint).items():
        for table in set().union(*events.values()):
            sources[table.name].add(source)
    assert {name: found for name, found in sources.items() if len(found) > 1} == {}
    assert set(sources) == set(blueprint.metadata.tables)


def test_every_event_is_folded_or_reacted_to_by_someone() -> None:
    used = {event for blueprint in BLUEPRINTS for event in blueprint.wants}
    for blueprint in BLUEPRINTS:
        for events in _folded(blueprint).values():
            used |= {event for event, tables in events.items() if tables}
    assert set(EVENTS.values()) - used == set(HISTORY)


@services
def test_a_fold_changes_only_tables_of_its_own_service_and_columns_that_they_have(blueprint: Blueprint) -> None:
    for recorded in FOR_TABLES:
        project = _sources(blueprint).get(recorded.service)
        for change in project(recorded) if project else ():
            assert change.table.metadata is blueprint.metadata
            if isinstance(change, Put):
                assert type(change.row) is row_of(change.table)
            else:
                named = {**change.key, **getattr(change, "values", {})}
                assert set(named) <= set(change.table.columns.keys())


def _makes_up_values(column: Column[object]) -> bool:
    given = column.default or column.server_default or column.onupdate or column.computed or column.identity
    return given is not None or column.autoincrement is True


@services
def test_a_table_has_a_key_and_takes_every_value_from_an_event(blueprint: Blueprint) -> None:
    for table in blueprint.metadata.tables.values():
        assert table.primary_key.columns, f"{table.name} has no primary key"
        assert not [column.name for column in table.columns if _makes_up_values(column)]
        assert not table.foreign_keys, f"{table.name}: the order of folding would matter"
