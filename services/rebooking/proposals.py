"""Has plans made, of a whole outage or of a few of its practices, and lays them before the operator."""

import asyncio
from collections.abc import Collection, Sequence

from services.rebooking.commands import ApprovePlan, ProposePlan
from services.rebooking.demand import read_diary
from services.rebooking.planning import Part, Plan, make_plan
from services.rebooking.settings import own_settings
from shared.refusals import Conflict
from shared.service import Running


async def planned(service: Running, outage: str, practices: Collection[str] = ()) -> Plan:
    """The best plan for everyone who waits, at these practices only if any are named. Nothing is proposed yet."""
    rules, now = own_settings(service.settings).rules(), service.clock.now()
    async with service.engine.connect() as connection:
        await connection.execution_options(isolation_level="REPEATABLE READ")
        diary = await read_diary(connection, outage, rules, now, practices)

    def make() -> Plan:
        return make_plan(rules, outage, diary.patients(), diary.slots(), read_position=diary.read_position, now=now)

    # In a thread of its own, so that health, following and other requests go on meanwhile.
    return await asyncio.to_thread(make)


async def propose_all(service: Running, plan: Plan) -> None:
    """The plan takes the place of the last at every practice. Raises `Conflict` if one of them has moved on."""
    await service.executor.execute_together([_proposal(plan, part) for part in plan.parts])


async def follow_up(service: Running, plan: Plan, parts: Sequence[Part], *, approved_by: str = "") -> list[Part]:
    """Propose these parts of the plan, each by itself; those that have been. A practice that has moved on is left out.

    With `approved_by`, those that place anybody are approved in the same transaction.
    """

    async def propose(part: Part) -> bool:
        commands: list[ProposePlan | ApprovePlan] = [_proposal(plan, part, follow_up=True)]
        if approved_by and part.placements:
            now = service.clock.now()
            commands.append(ApprovePlan(plan.outage, part.practice, plan.hash, part.hash, approved_by, now))
        try:
            await service.executor.execute_together(commands)
        except Conflict:
            return False
        return True

    done = await asyncio.gather(*map(propose, parts))
    return [part for part, proposed in zip(parts, done, strict=True) if proposed]


def _proposal(plan: Plan, part: Part, *, follow_up: bool = False) -> ProposePlan:
    return ProposePlan(
        outage=plan.outage,
        practice=part.practice,
        plan=plan.hash,
        part=part.hash,
        read_position=plan.read_position,
        expires_at=plan.expires_at,
        placements=part.placements,
        unplaced=part.unplaced,
        follow_up=follow_up,
    )
