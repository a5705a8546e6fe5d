"""To whom the messages about an appointment go, and what their wording has to know of it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.notifications.commands import Subject
from services.notifications.tables import appointments, practices
from shared.database import among


@dataclass(frozen=True, slots=True)
class Addressee:
    """An appointment, and all that the wording needs. The patient is still sealed.

    `practice` is the patient's own; `place` another, and where it is, if they are seen there.
    """

    appointment: str
    patient: str
    sealed: str
    practice: str
    practice_name: str
    start: datetime
    move: str = ""
    outage: str = ""
    place: str = ""

    @property
    def about(self) -> Subject:
        """What a message about the appointment as such is about."""
        return Subject(self.practice, self.patient, self.appointment, self.move, self.outage)


async def read_addressees(
    connection: AsyncConnection, ids: Collection[str], status: Literal["booked", "cancelled"] = "booked"
) -> Mapping[str, Addressee]:
    """Those of these appointments that stand, by id, or else those that were cancelled."""
    home = practices.alias("home")
    rows = await connection.execute(
        select(appointments, practices.c.name, practices.c.town, practices.c.postcode, home.c.name.label("own_name"))
        .join(practices, practices.c.ods_code == appointments.c.practice)
        .join(home, home.c.ods_code == appointments.c.home, isouter=True)
        .where(among(appointments.c.id, ids), appointments.c.status == status)
    )
    return {row.id: _addressee(row) for row in rows}


def _addressee(row: Row[Any]) -> Addressee:
    away = row.own_name is not None
    return Addressee(
        appointment=row.id,
        patient=row.patient,
        sealed=row.sealed,
        practice=row.home or row.practice,
        practice_name=row.own_name if away else row.name,
        start=row.start,
        move=row.move,
        outage=row.outage,
        place=f"{row.name}, {row.town} {row.postcode}".rstrip(" ,") if away else "",
    )
