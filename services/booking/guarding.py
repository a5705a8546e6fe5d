"""Who may ask the plain API for what: operators for anything, a practice's own system for what is its own."""

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Request
from sqlalchemy.ext.asyncio import AsyncConnection

from services.booking.rows import SessionRow
from services.booking.session_views import SlotFacts, is_registered, slot_facts
from services.booking.views import session_rows
from shared.access import Action, Caller
from shared.http import CallerDep
from shared.refusals import NotFound


@dataclass(frozen=True, slots=True)
class Guard:
    """Checks what the caller asks for, and tells the trail of accesses whose it is.

    The trail gets the code of a practice only if it is known (a caller can write anything) and if the caller may know
    it: callers read their own lines, and must not learn there whose it is that was hidden from them.
    """

    caller: Caller
    request: Request

    def require_own(self, practice: str) -> None:
        """Raises what an unknown practice raises, unless it is the caller's own."""
        self.caller.require_practice(practice)
        if practice == self.caller.organisation:
            self.trail(practice)

    async def require_registered(self, connection: AsyncConnection, practice: str) -> None:
        """Raises `NotFound` unless the practice keeps its diary here."""
        if not _storable(practice) or not await is_registered(connection, practice):
            raise NotFound("No such practice is registered here", code="unknown-practice", where="practice")
        self.trail(practice)

    async def session(self, connection: AsyncConnection, session: str) -> SessionRow:
        """The session. Raises `NotFound` if there is none, or, in the same words, if it is another practice's."""
        rows = await session_rows(connection, [session]) if _storable(session) else []
        if not rows or not self.caller.belongs_to(rows[0].practice):
            raise NotFound("There is no such session", code="no-such-session", where="session")
        self.trail(rows[0].practice)
        return rows[0]

    async def slot(self, connection: AsyncConnection, slot: str) -> SlotFacts:
        """The slot, whoever's it is. Raises `NotFound` if there is none."""
        facts = await slot_facts(connection, slot) if _storable(slot) else None
        if facts is None:
            raise no_such_slot()
        return facts

    def trail(self, practice: str) -> None:
        """Write down whose it is."""
        self.request.state.practice = practice


def _storable(id: str) -> bool:
    """Whether anything stored could be called so; PostgreSQL would not even look for a NUL character."""
    return "\0" not in id


def no_such_slot() -> NotFound:
    """What is said of a slot that does not exist, and of one that the caller may not see."""
    return NotFound("There is no such slot", code="no-such-slot", where="slot")


async def guard(request: Request, caller: CallerDep) -> Guard:
    """The guard of this request."""
    return Guard(caller, request)


GuardDep = Annotated[Guard, Depends(guard)]


def needs(resource: str, action: Action) -> Any:
    """For a route's `dependencies`: the scope is looked for before what was sent is looked at."""

    async def check(caller: CallerDep) -> None:
        caller.require(resource, action)

    return Depends(check)
