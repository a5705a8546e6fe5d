"""A practice's token at another practice: everything of B2 is to A1 exactly like what does not exist, on every route.

A probe is sent twice: about what is B2's, and about what nobody has. Status, headers and body must be equal but for the
ids that were sent, and so must the statements that the database was asked, for what takes longer can be told apart.
"""

from tests.booking.probes import EACH_APPOINTMENT, EACH_SLOT, THE_REST
from tests.booking.strangers import World, world
from tests.booking.surgery import FHIR
from tests.harness import County

ANYONES = {"GET /livez", "GET /readyz", "GET /metrics", "GET /v1/status", f"GET {FHIR}/metadata"}
"""Routes that tell of no practice."""
OPERATORS = {"POST /v1/practices", "GET /v1/figures"}


async def test_another_practices_slots_are_as_none(county: County) -> None:
    async with world(county) as there:
        for kind, names in there.slots.items():
            assert await there.differences(EACH_SLOT, names) == [], kind
        await require_unharmed(there)


async def test_another_practices_appointments_are_as_none(county: County) -> None:
    async with world(county) as there:
        for standing, names in there.appointments.items():
            assert await there.differences(EACH_APPOINTMENT, names) == [], standing
        await require_unharmed(there)


async def test_another_practices_sessions_and_patients_and_itself_are_as_none(county: County) -> None:
    async with world(county) as there:
        assert await there.differences(THE_REST, there.theirs) == []
        await require_unharmed(there)


async def require_unharmed(there: World) -> None:
    """All is as it was at B2."""
    figures = await there.desk.figures()
    assert figures["double_booked"] == 0
