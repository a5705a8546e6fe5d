"""A practice withdraws a session that patients are booked in: they are planned, moved and told, as after an outage."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from httpx import AsyncClient, Response
from sqlalchemy import select

from services.booking import app as booking_app
from services.notifications import app as notifications_app
from services.notifications.tables import calls, messages
from services.notifications.wording import Text
from services.rebooking import app as rebooking_app
from shared.broker import connect
from shared.database import open_engine
from shared.rebuild import rebuild
from shared.service import Running
from tests.booking.paper import ANN, BOB, CSV, PRACTICES, diary_file, reason, row
from tests.booking.surgery import NOON
from tests.harness import County
from tests.notifications.town import QUICK

CAT = BOB | {"nhs_number": "9990000034", "given_name": "Cat", "mobile": "", "priority": "0"}
MONDAY = [
    row(person, session="Monday list", start=f"2024-07-22T09:{minute}")
    for person, minute in ((ANN, "00"), (BOB, "10"), (CAT, "20"))
]
TUESDAY = [row(session="Tuesday list", start=f"2024-07-23T{at}") for at in ("09:00", "09:10", "09:20", "16:00")]
"""The last of the day stays free, for whoever rings up."""


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """What the recovery is called, and whom it displaced, in order of start."""

    recovery: str
    appointments: list[str]


@dataclass(frozen=True, slots=True)
class District:
    """One practice's three services, on the Friday before."""

    county: County
    booking: AsyncClient
    rebooking: AsyncClient
    notifications: Running

    async def post(self, client: AsyncClient, path: str, **body: Any) -> Response:
        """Ask for something, and wait until all that follows from it has happened."""
        answer = await client.post(path, json=body)
        await self.county.caught_up()
        return answer

    async def busy(self, date: str) -> list[dict[str, Any]]:
        """The slots of that day that patients have."""
        when = {"start": f"ge{date}", "end": f"le{date}", "status": "busy"}
        found = (await self.booking.get("/fhir/R4/Slot", params=when)).json()
        return [entry["resource"] for entry in found.get("entry", []) if entry["search"]["mode"] == "match"]

    async def withdraw_monday(self) -> Withdrawn:
        """Look at whom it displaces, say yes to that, and learn what the recovery is called."""
        schedule = (await self.busy("2024-07-22"))[0]["schedule"]["reference"]
        path = f"/v1/sessions/{schedule.removeprefix('Schedule/')}/withdrawal"
        asked = await self.post(self.booking, path, reason="Dr Jones is ill")
        assert asked.status_code == 409, asked.text
        seen = asked.json()["preview"]
        assert seen["counts"] == {"appointments": 3, "holds": 0, "without_mobile": 1}
        done = await self.post(self.booking, path, reason="Dr Jones is ill", confirmation=seen["confirmation"])
        assert done.status_code == 200, done.text
        return Withdrawn(done.json()["withdrawal"], [each["appointment"] for each in seen["appointments"]])

    async def moved(self, withdrawal: str) -> dict[str, Any]:
        """The plan for the recovery, approved and carried out."""
        path = f"/v1/outages/{withdrawal}"
        plan: dict[str, Any] = (await self.post(self.rebooking, f"{path}/plan")).json()
        approved = await self.post(self.rebooking, f"{path}/approval", hash=plan["hash"], approved_by="Ann")
        assert approved.status_code == 202, approved.text
        return plan

    async def progress(self, withdrawal: str) -> dict[str, Any]:
        progress: dict[str, Any] = (await self.rebooking.get(f"/v1/outages/{withdrawal}/progress")).json()
        return progress

    async def texts(self) -> list[str]:
        """Every text that was planned, opened."""
        async with self.notifications.engine.connect() as connection:
            rows = (await connection.execute(select(messages.c.patient, messages.c.sealed))).all()
        keys = await self.notifications.keys.find({row.patient for row in rows})
        return sorted(keys[row.patient].open(row.sealed, Text).body for row in rows)


@asynccontextmanager
async def district(county: County) -> AsyncIterator[District]:
    """Three patients on Monday's list, free slots on Tuesday's."""
    county.clock_at(NOON)
    async with (
        county.client(booking_app.create) as booking,
        county.client(rebooking_app.create) as rebooking,
        county.service(notifications_app.BLUEPRINT, notifications_app.Settings, **QUICK) as notifications,
    ):
        here = District(county, booking, rebooking, notifications)
        await booking.post("/v1/practices", content=PRACTICES, headers=CSV)
        taken = await booking.post("/v1/diary", content=diary_file(*MONDAY, *TUESDAY), headers=CSV)
        assert taken.status_code == 200, taken.text
        await county.caught_up()
        yield here


async def test_the_patients_of_a_withdrawn_session_are_moved_and_told_once(county: County) -> None:
    async with district(county) as here:
        withdrawal = (await here.withdraw_monday()).recovery
        [listed] = (await here.rebooking.get("/v1/outages")).json()
        assert (listed["outage"], listed["kind"]) == (withdrawal, "withdrawal")
        assert listed["name"] == "Session withdrawn: Monday list, Monday 22 July 2024"
        frozen = [practice["frozen"] for practice in (await here.booking.get("/v1/practices")).json()]
        assert frozen == [False, False]

        plan = await here.moved(withdrawal)
        assert (plan["placed"], plan["unplaced"], plan["by_day"]) == (3, 0, {"2024-07-23": 3})
        assert len(await here.busy("2024-07-23")) == 3
        progress = await here.progress(withdrawal)
        assert (progress["appointments"], progress["moved"], progress["calls"]) == (3, 3, 1)
        assert await here.texts() == [
            f"{name}, Harbour Surgery has moved your appointment to Tuesday 23 July 2024 at {at}.\n"
            "Reply 2 to change it, 3 to cancel. No reply keeps it."
            for name, at in (("Ann", "9am"), ("Bob", "9:10am"))
        ]
        async with here.notifications.engine.connect() as connection:
            assert (await connection.execute(select(calls))).all() == []
        assert await is_equal_when_rebuilt(county)


async def is_equal_when_rebuilt(county: County) -> bool:
    """Rebooking's tables, folded again from both copies of the log, beside the live ones."""
    settings = await county.settings(rebooking_app.BLUEPRINT, rebooking_app.Settings)
    engine, client = open_engine(settings.database_url), await connect(settings.nats_url, "rebooking")
    try:
        return (await rebuild(rebooking_app.BLUEPRINT, engine, client, verify_only=True, tell=lambda *_: None)).equal
    finally:
        await engine.dispose()
        await client.close()


async def test_a_displaced_patient_who_cancels_is_neither_moved_nor_told(county: County) -> None:
    async with district(county) as here:
        withdrawn = await here.withdraw_monday()
        address = f"/fhir/R4/Appointment/{withdrawn.appointments[0]}"
        read = await here.booking.get(address)
        assert read.json()["status"] == "waitlist"
        off = await here.booking.put(
            address,
            json=read.json() | {"status": "cancelled", "cancelationReason": reason()},
            headers={"If-Match": read.headers["etag"]},
        )
        assert off.status_code == 200, off.text
        await county.caught_up()
        await here.moved(withdrawn.recovery)
        progress = await here.progress(withdrawn.recovery)
        assert (progress["appointments"], progress["cancelled"], progress["moved"]) == (3, 1, 2)
        assert [text[:3] for text in await here.texts()] == ["Bob"]
