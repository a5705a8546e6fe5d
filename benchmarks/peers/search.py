"""The peer's search for slots: the same parameters as Daybook's, as one ORM query and its count."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from urllib.parse import urlencode
from uuid import UUID

from fastapi import HTTPException
from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import joinedload

from benchmarks.peers.answers import LONDON
from benchmarks.peers.bearer import Caller
from benchmarks.peers.models import Practice, Session, Slot

WIDEST = timedelta(days=14)
MOST, USUAL = 1000, 100
_KNOWN = frozenset({"status", "start", "end", "schedule", "practice", "_count", "_offset", "_include"})
_ACTOR = re.compile(r"schedule\.actor(:[A-Za-z]+)?(\.identifier)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Search:
    """What is asked. `parameters` are those that were understood."""

    start: datetime
    end: datetime
    statuses: Sequence[str]
    practice: str
    session: UUID | None
    count: int
    offset: int
    with_sessions: bool
    parameters: Sequence[tuple[str, str]]

    def links(self, base: str, total: int) -> Mapping[str, str]:
        """This page, and the next if there is one."""
        links = {"self": f"{base}/Slot?{urlencode(self.parameters)}"}
        if self.offset + self.count < total:
            others = [(name, value) for name, value in self.parameters if name != "_offset"]
            links["next"] = f"{base}/Slot?{urlencode([*others, ('_offset', str(self.offset + self.count))])}"
        return links


def read_search(sent: Sequence[tuple[str, str]]) -> Search:
    """The search. Raises 422 for what makes no sense."""
    used = [(name, value) for name, value in sent if name in _KNOWN or _ACTOR.fullmatch(name)]
    first = {"practice" if _ACTOR.fullmatch(name) else name: value for name, value in reversed(used)}
    try:
        start = _instant(next(value[2:] for name, value in used if name == "start" and value[:2] == "ge"), 0)
        end = _instant(next(value[2:] for name, value in used if name in ("start", "end") and value[:2] == "le"), 1)
        search = Search(
            start=start,
            end=end,
            statuses=first["status"].split(","),
            practice=re.split(r"[|/]", first.get("practice", ""))[-1],
            session=UUID(first["schedule"].removeprefix("Schedule/")) if "schedule" in first else None,
            count=min(int(first.get("_count", USUAL)), MOST),
            offset=int(first.get("_offset", 0)),
            with_sessions=("_include", "Slot:schedule") in used,
            parameters=used,
        )
    except (ValueError, KeyError, StopIteration):
        raise HTTPException(422, "Ask with status, start=ge… and end=le…") from None
    if not start < end <= start + WIDEST + timedelta(hours=1):
        raise HTTPException(422, f"At most {WIDEST.days} days can be searched at once")
    return search


async def find_slots(database: AsyncSession, search: Search, asked_by: Caller) -> tuple[int, Sequence[Slot]]:
    """How many slots match, and one page of them by start."""
    matches = _matches(search, asked_by)
    joined = select(Slot).join(Practice, Practice.code == Slot.practice_code).where(matches)
    total = await database.scalar(joined.with_only_columns(func.count()))
    found = await database.scalars(
        joined.options(joinedload(Slot.session, innerjoin=True).joinedload(Session.practice, innerjoin=True))
        .order_by(Slot.start, Slot.id)
        .limit(search.count)
        .offset(search.offset)
    )
    return total or 0, found.all()


def _matches(search: Search, asked_by: Caller) -> ColumnElement[bool]:
    wanted = [Slot.start >= search.start, Slot.end <= search.end, ~Slot.withdrawn]
    if set(search.statuses) == {"free"}:
        wanted += [Slot.appointment_id.is_(None), ~Practice.frozen]
    elif set(search.statuses) == {"busy"}:
        wanted.append(Slot.appointment_id.is_not(None))
    if search.practice:
        wanted.append(Slot.practice_code == search.practice)
    if search.session:
        wanted.append(Slot.session_id == search.session)
    if not asked_by.operates:
        own = Slot.practice_code == asked_by.organisation
        kept = ("anyone", "nhs-111") if asked_by.organisation_type == "nhs-111" else ("anyone",)
        wanted.append(or_(own, and_(Practice.open, Slot.kept_for.in_(kept))))
    return and_(*wanted)


def _instant(text: str, days: int) -> datetime:
    """A whole date (with `days` added) or a time with its offset."""
    if len(text) == len("2024-07-22"):
        return datetime.combine(date.fromisoformat(text) + timedelta(days=days), time(), LONDON).astimezone(UTC)
    parsed = datetime.fromisoformat(text.replace(" ", "+"))
    if parsed.tzinfo is None:
        raise ValueError("a time needs its offset")
    return parsed.astimezone(UTC)
