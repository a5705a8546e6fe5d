"""The desk at which appointments are written: the service, and the look-ups that all who stand there share."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from fastapi import Request

from services.booking.fhir.gathering import Gathered
from services.booking.keeping import effective
from services.booking.session_views import stored_opening
from shared.database import reader
from shared.events.booking import Channel, KeptFor, Opening
from shared.seal import DataKey
from shared.service import Running


@dataclass(frozen=True, slots=True)
class Place:
    """A slot, and what stands in the diary around it; `of_…` are its session's and its practice's openings, as stored.

    Taken ones too: whether it can be had is not said here.
    """

    slot: str
    session: str
    practice: str
    practice_name: str
    session_name: str
    clinician: str
    clinician_role: str
    location: str
    channel: Channel
    service_type: str
    start: datetime
    end: datetime
    kept_for: KeptFor = "anyone"
    withdrawn: bool = False
    of_session: Any = None
    of_practice: Any = None

    @property
    def opening(self) -> Opening:
        """To whom it is open."""
        return effective(stored_opening(self.of_session), stored_opening(self.of_practice))


@dataclass(frozen=True, slots=True)
class Desk:
    """`places` finds slots by id; `keys` the data keys of patients by pseudonym, new ones for who has none yet."""

    service: Running
    places: Gathered[str, Place]
    keys: Gathered[str, DataKey]
    hold_for: timedelta


def desk_of(service: Running, hold_for: timedelta) -> Desk:
    """The desk of this service, at which slots are held for so long."""

    async def places(slots: Collection[str]) -> Mapping[str, Place]:
        async with service.engine.connect() as connection:
            found = await (await reader(connection)).fetch(_PLACES, list(slots))
        return {row["slot"]: Place(**row) for row in found}

    async def keys(patients: Collection[str]) -> Mapping[str, DataKey]:
        return await service.keys.ensure(patients)

    return Desk(service, Gathered(places), Gathered(keys), hold_for)


def desk_at(request: Request) -> Desk:
    """The desk of the app that this request has come to, set up when the first comes."""
    state = request.app.state
    found: Desk | None = getattr(state, "desk", None)
    if found is None or found.service is not state.running:
        found = state.desk = desk_of(state.running, state.hold_for)
    return found


_PLACES = """
    SELECT slots.slot, slots.session, slots.practice, practices.name AS practice_name, sessions.name AS session_name,
           sessions.clinician, sessions.clinician_role, sessions.location, slots.channel, slots.service_type,
           slots.start, slots."end", slots.kept_for, slots.withdrawn,
           sessions.opening AS of_session, openings.opening AS of_practice
    FROM slots
    JOIN sessions ON sessions.session = slots.session
    LEFT JOIN openings ON openings.practice = slots.practice
    JOIN practices ON practices.practice = slots.practice
    WHERE slots.slot = ANY($1::text[])
"""
