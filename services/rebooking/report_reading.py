"""What the tables say for the closing report: the side of its sums that is not the log."""

from collections import Counter
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.rebooking.backlog import left_waiting, progress
from services.rebooking.report_facts import Known, Lost
from services.rebooking.tables import appointments, practices, recoveries
from services.rebooking.views import Outage


async def what_is_known(connection: AsyncConnection, outage: Outage, now: datetime) -> Known:
    """The tables' side of the report. The connection must see one moment, that of the history."""
    lost = await connection.execute(
        select(appointments.c.appointment, appointments.c.start, appointments.c.priority)
        .join(recoveries, recoveries.c.appointment == appointments.c.appointment)
        .where(recoveries.c.outage == outage.outage, recoveries.c.outcome == "displaced")
    )
    named = await connection.execute(
        select(practices.c.practice, practices.c.name).where(practices.c.practice.in_(outage.practices))
    )
    left = await left_waiting(connection, outage.outage)
    return Known(
        progress=await progress(connection, outage, now),
        lost={row.appointment: Lost(row.start, row.priority) for row in lost},
        reasons=Counter(each.reason for each in left),
        names={row.practice: row.name for row in named},
    )
