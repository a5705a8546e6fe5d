"""The peer of a rebuild: the same events in a log of the `eventsourcing` library, on the same PostgreSQL.

Each service is an application of its own there, with its own log; who follows it reads its notifications, page by page.
`python -m benchmarks.peers.eventsourcing_log WAY` reads and decodes them all, from the database `PEER_DATABASE_URL`,
does nothing else, and prints, as JSON, how many of each service there are and how many seconds they took.
"""

import hashlib
import json
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from eventsourcing.domain import DomainEventProtocol
from eventsourcing.persistence import Mapper
from eventsourcing.postgres import PostgresApplicationRecorder, PostgresDatastore
from psycopg.sql import SQL, Identifier
from sqlalchemy import make_url

from benchmarks.peers.eventsourcing_events import as_domain_event, as_struct, json_mapper, struct_mapper
from shared.events.envelope import SERVICES, Recorded

DATABASE_URL = "PEER_DATABASE_URL"
PAGE = 1_000
"""Notifications asked for at a time: of 500 to 20,000, what cost it least."""

DomainEvent = DomainEventProtocol[UUID]

WAYS: Mapping[str, tuple[Callable[[], Mapper[UUID]], Callable[[Recorded], DomainEvent]]] = {
    "json": (json_mapper, as_domain_event),
    "structs": (struct_mapper, as_struct),
}
"""The two ways in which a user of the library would write and read them."""


class Ids:
    """A digest of the ids of events, in order."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()

    def add(self, ids: Iterable[str]) -> None:
        """The next ones."""
        self._hash.update("".join(f"{each} " for each in ids).encode())

    def digest(self) -> str:
        """Of all so far."""
        return self._hash.hexdigest()


@dataclass(frozen=True, slots=True)
class Log:
    """One service's."""

    recorder: PostgresApplicationRecorder
    mapper: Mapper[UUID]
    to_domain_event: Callable[[Recorded], DomainEvent]

    @property
    def length(self) -> int:
        """How many events it holds."""
        return self.recorder.max_notification_id() or 0

    def clear(self) -> None:
        """It holds none."""
        with self.recorder.datastore.transaction(commit=True) as cursor:
            cursor.execute(SQL("TRUNCATE {} RESTART IDENTITY").format(self._table))

    def write(self, events: Sequence[Recorded]) -> None:
        """As the newest of it; copied into the recorder's table, since how the library inserts is not measured."""
        columns = SQL("COPY {} (originator_id, originator_version, topic, state) FROM STDIN").format(self._table)
        with self.recorder.datastore.transaction(commit=True) as cursor, cursor.copy(columns) as copy:
            for each in events:
                stored = self.mapper.to_stored_event(self.to_domain_event(each))
                copy.write_row((stored.originator_id, stored.originator_version, stored.topic, stored.state))

    def read(self) -> Iterator[list[DomainEvent]]:
        """All of it from the beginning, decoded, a page at a time."""
        start = 1
        while notifications := self.recorder.select_notifications(start, PAGE):
            yield [self.mapper.to_domain_event(each) for each in notifications]
            start = notifications[-1].id + 1

    @property
    def _table(self) -> Identifier:
        return Identifier(self.recorder.events_table_name)

    def ids(self) -> str:
        """Which events it holds, in which order."""
        found = Ids()
        for page in self.read():
            found.add(event.event_id for event in page)  # type: ignore[attr-defined]
        return found.digest()


@contextmanager
def logs(url: str, way: str) -> Iterator[Mapping[str, Log]]:
    """The log of each service in this database, made if it is not there."""
    make_mapper, to_domain_event = WAYS[way]
    with _datastore(url) as datastore:
        mapper = make_mapper()
        recorders = {
            service: PostgresApplicationRecorder(datastore, events_table_name=f"{service}_{way}")
            for service in sorted(SERVICES)
        }
        for recorder in recorders.values():
            recorder.create_table()
        yield {service: Log(recorder, mapper, to_domain_event) for service, recorder in recorders.items()}


def _datastore(url: str) -> PostgresDatastore:
    at = make_url(url)
    return PostgresDatastore(
        at.database or "", at.host or "", at.port or 5432, at.username or "", str(at.password), pool_size=1
    )


def main() -> None:
    """Read everything once."""
    url, way = os.environ[DATABASE_URL], sys.argv[1]
    found: dict[str, Any] = {}
    with logs(url, way) as each:
        for service, log in each.items():
            began = time.perf_counter()
            events = sum(len(page) for page in log.read())
            found[service] = {"events": events, "seconds": time.perf_counter() - began}
    print(json.dumps(found))  # noqa: T201


if __name__ == "__main__":
    main()
