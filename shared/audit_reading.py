"""Reads the trail of accesses, as far as the one who asks may see it."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, false, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.access import Caller
from shared.audit import accesses


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which accesses are asked for. `practice` is either side's: whose things they were, or who asked.

    `since` is inclusive, `until` is not; `before` is where the page before this one ended.
    """

    client: str | None = None
    practice: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    before: int | None = None


@dataclass(frozen=True, slots=True)
class AccessLine:
    """One access, as `shared.audit.Access` explains it. `at` is in UTC."""

    id: int
    at: datetime
    request: str
    client: str
    organisation: str
    operator: bool
    method: str
    route: str
    resource: str
    practice: str
    status: int
    refusal: str
    milliseconds: float


@dataclass(frozen=True, slots=True)
class AccessPage:
    """Accesses, the newest first. `next` is what to ask with as `before` for those that follow; none, and it ends."""

    accesses: list[AccessLine]
    next: int | None


async def read_accesses(connection: AsyncConnection, asking: Caller, wanted: Wanted, count: int) -> AccessPage:
    """At most `count` of the accesses that are wanted and that `asking` may see."""
    query = select(accesses).where(*_conditions(asking, wanted)).order_by(accesses.c.id.desc()).limit(count + 1)
    found = [AccessLine(**row) for row in (await connection.execute(query)).mappings()]
    page = found[:count]
    return AccessPage(page, page[-1].id if len(found) > count else None)


def _conditions(asking: Caller, wanted: Wanted) -> list[ColumnElement[bool]]:
    conditions = [] if asking.operates else [_of(asking.organisation)]
    if wanted.client is not None:
        conditions.append(accesses.c.client == wanted.client)
    if wanted.practice is not None:
        conditions.append(_of(wanted.practice))
    if wanted.since is not None:
        conditions.append(accesses.c.at >= wanted.since)
    if wanted.until is not None:
        conditions.append(accesses.c.at < wanted.until)
    if wanted.before is not None:
        conditions.append(accesses.c.id < wanted.before)
    return conditions


def _of(organisation: str) -> ColumnElement[bool]:
    """What it asked for itself, and what was asked of it. Nobody is the organisation without a name."""
    if not organisation:
        return false()
    return or_(accesses.c.organisation == organisation, accesses.c.practice == organisation)
