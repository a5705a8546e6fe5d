"""The follow-up: what is out of time ends, and whoever still seeks a place is planned for again when that may help.

Whatever goes wrong in a round, the next begins from what the tables say; and what a round does a second time, the rules
take for done. Only the process that leads the relay follows up.
"""

import asyncio
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from services.rebooking import due, proposals
from services.rebooking.planning import Part, Plan
from services.rebooking.settings import own_settings
from services.rebooking.tries import Recovering, Seen, Tries
from services.rebooking.under_way import read_under_way
from shared.clock import london_date
from shared.refusals import Refusal
from shared.relay import PASSING
from shared.service import Running

_log = structlog.get_logger(__name__)


async def follow_up(running: Running) -> None:
    """Round after round until cancelled. Runs beside a live service only: a rebuild follows nothing up."""
    work, pause = FollowUp(running), own_settings(running.settings).follow_up_seconds
    while True:
        await running.relay.agreed.wait()
        try:
            await work.once()
        except (*PASSING, Refusal) as fault:
            _log.info("follow-up waits", fault=type(fault).__name__)
        except Exception:
            _log.exception("follow-up failed")
        await asyncio.sleep(pause)


@dataclass(frozen=True, slots=True)
class _Ready:
    """The practices of one outage to plan for. With `automatic`, what finds a place is approved at once, as by it."""

    outage: str
    practices: Sequence[str]
    automatic: str = ""


class FollowUp:
    """The rounds of one process."""

    def __init__(self, running: Running) -> None:
        settings = own_settings(running.settings)
        self._running = running
        self._rules = settings.rules()
        self._tries = Tries(timedelta(seconds=settings.follow_up_seconds))

    async def once(self) -> None:
        """One round."""
        now = self._running.clock.now()
        async with self._running.engine.connect() as connection:
            out_of_time = await due.read_out_of_time(connection, now)
            seen = self._tries.deserving(await self._look(connection, now), now)
            ready = await _ready(connection, seen, now) if seen else []
        if out_of_time:
            await self._running.executor.execute_together(out_of_time)
        for each in ready:
            await self._follow_up(each, seen, now)

    async def _look(self, connection: AsyncConnection, now: datetime) -> Mapping[Recovering, Seen]:
        """What plans would be made of. As the days go by, other slots come within their window."""
        seeking, seen = await due.read_seeking(connection), {}
        freed = await due.read_freed(connection) if seeking else {}
        for at, who in seeking.items():
            newest = max(freed.get(each, 0) for each in self._rules.open_to(at[1]))
            seen[at] = Seen(who.mark, newest, london_date(now))
            if who.all_listed and newest <= who.read_position and london_date(who.planned_at) == seen[at].day:
                self._tries.assume(at, seen[at])
        return seen

    async def _follow_up(self, ready: _Ready, seen: Mapping[Recovering, Seen], now: datetime) -> None:
        """Propose what places anybody, or says for the first time why it does not."""
        plan = await proposals.planned(self._running, ready.outage, ready.practices)
        async with self._running.engine.connect() as connection:
            listed = await due.read_listed(connection, ready.outage, ready.practices)
        news = [part for part in plan.parts if _is_news(part, listed)]
        proposed = await proposals.follow_up(self._running, plan, news, approved_by=ready.automatic)
        # Whoever has moved on since the plan was made has the next turn.
        missed = {part.practice for part in news} - {part.practice for part in proposed}
        placed = {part.practice for part in proposed if part.placements}
        for practice in ready.practices:
            if practice not in missed:
                at = (ready.outage, practice)
                self._tries.note(at, seen[at], now, placed=practice in placed)
        _tell(plan, proposed)


async def _ready(connection: AsyncConnection, seen: Mapping[Recovering, Seen], now: datetime) -> Sequence[_Ready]:
    """Of these recoveries those where nothing is under way, by outage."""
    automatic = await due.read_automatic(connection, {outage for outage, _ in seen})
    under_way = await read_under_way(connection, now)
    ready: defaultdict[str, list[str]] = defaultdict(list)
    for outage, practice in sorted(seen):
        if not under_way.blocks((outage, practice), automatic=outage in automatic):
            ready[outage].append(practice)
    return [_Ready(outage, at, automatic_as(automatic.get(outage))) for outage, at in ready.items()]


def automatic_as(said_by: str | None) -> str:
    """Who approves a follow-up that nobody is asked about; nobody, if no one has said so."""
    return "" if said_by is None else f"automatic, as {said_by or 'an operator'} said"


def _is_news(part: Part, listed: Collection[str]) -> bool:
    return bool(part.placements) or any(left.appointment not in listed for left in part.unplaced)


def _tell(plan: Plan, proposed: Sequence[Part]) -> None:
    if proposed:
        placed = sum(len(part.placements) for part in proposed)
        _log.info("followed up", outage=plan.outage, practices=len(proposed), placed=placed)
