"""A service at work parks what it cannot fold, says so in its status and figures, and an operator lets it go."""

from httpx import AsyncClient
from sqlalchemy import text

from services.rebooking.app import create
from shared.events.booking import PracticeRegistered
from shared.service import Running
from tests.harness import County
from tests.issuer import bearer
from tests.shared.test_follow import in_the_stream
from tests.shared.test_parked import logged

NO_SECOND = "ALTER TABLE practices ADD CONSTRAINT no_second CHECK (practice <> 'G82002')"
EVENTS = logged(*(PracticeRegistered(practice=f"G8200{number}", name="Mill Lane") for number in (1, 2, 3)))


async def run(running: Running, statement: str) -> None:
    async with running.engine.begin() as connection:
        await connection.execute(text(statement))


async def figure(client: AsyncClient) -> str:
    lines = (await client.get("/metrics")).text.splitlines()
    return next(line for line in lines if line.startswith("daybook_parked_events")).rpartition(" ")[2]


async def test_an_operator_sees_what_waits_and_lets_it_go_once_it_can_be_folded(county: County) -> None:
    async with county.client(create) as client:
        (rebooking,) = county.at_work
        await run(rebooking, NO_SECOND)
        await in_the_stream(county, *EVENTS)
        await county.caught_up()

        (parked,) = (await client.get("/v1/parked")).json()
        assert (parked["event"], parked["reason"]) == ("event-2", "CheckViolationError: no_second")
        assert (await client.get("/v1/status")).json()["parked"] == 1
        assert ((await client.get("/readyz")).text, await figure(client)) == ("ready\n", "1.0")

        by = {"by": "A. Operator"}
        refused = await client.post("/v1/parked/event-2/retry", json=by)
        assert (refused.status_code, refused.json()["code"]) == (409, "not-folded")
        assert (await client.post("/v1/parked/event-3/retry", json=by)).status_code == 404
        assert (await client.post("/v1/parked/event-2/skip", json=by)).status_code == 422
        practices = bearer(county.token())
        assert (await client.post("/v1/parked/event-2/retry", json=by, headers=practices)).status_code == 403

        await run(rebooking, "ALTER TABLE practices DROP CONSTRAINT no_second")
        released = await client.post("/v1/parked/event-2/retry", json=by)
        assert released.json() == {"skipped": "", "folded": ["event-2"], "waits": ""}
        assert ((await client.get("/v1/parked")).json(), await figure(client)) == ([], "0.0")
