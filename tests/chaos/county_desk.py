"""The county's support desk: declares outages and ends them, reconciles, has plans made, and says yes to them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product

from services.operator.county_diary import Booking
from tests.chaos import effects
from tests.chaos.asking import Client

PAUSE = 0.4
LOST = "2024-07-19"
WINDOWS = (("08:30", "10:00"), ("10:00", "11:30"), ("11:30", "15:00"), ("15:00", "18:30"))
"""The lost day in pieces, so that there are as many outages as a run has time for."""
LOOKED_AGAIN = 3
PLANNED_AGAIN = 5
"""How often a plan is asked for while rebooking does not know yet of all that it is to plan."""


@dataclass(slots=True)
class CountyDesk:
    """`lost` are the appointments of the lost day, by practice."""

    client: Client
    lost: Mapping[str, Sequence[Booking]]
    todo: list[tuple[str, tuple[str, str]]] = field(init=False)
    taken_up: set[str] = field(default_factory=set)
    """Withdrawals for which it has had plans made."""

    def __post_init__(self) -> None:
        self.todo = list(product(self.lost, WINDOWS))
        self.client.rng.shuffle(self.todo)

    async def begin(self) -> None:
        """The first piece that can be recovered, so that there are moves and texts from the beginning."""
        while self.todo and not await self._next():
            pass

    async def work(self) -> None:
        """Until every piece of the lost day has been recovered at every practice; and withdrawals for ever."""
        while self.todo:
            await self._next()
            await self._withdrawals()
        while True:
            await self.client.pause(PAUSE)
            await self._withdrawals()

    async def _next(self) -> bool:
        """One piece of the lost day, at one practice; whether a plan for it was approved."""
        practice, (start, end) = self.todo.pop()
        return await self._outage(practice, f"{LOST}T{start}:00+01:00", f"{LOST}T{end}:00+01:00")

    async def _outage(self, practice: str, started_at: str, ended_at: str) -> bool:
        name = self.client.number()
        with self.client.history.command(self.client.name, "declare", effects.declared(name)) as command:
            body = {"name": name, "practices": [practice], "started_at": started_at}
            await self.client.do(command, "rebooking", "POST", "/v1/outages", repeat=False, json=body)
        await self.client.pause(2 * PAUSE)
        outage = await self._named(name)
        if outage is None:
            return False
        with self.client.history.command(self.client.name, "end", effects.ended(outage)) as command:
            path = f"/v1/outages/{outage}/end"
            await self.client.do(command, "rebooking", "POST", path, repeat=True, json={"ended_at": ended_at})
        await self._reconcile(outage, practice, started_at, ended_at)
        return await self._recover(outage, [practice])

    async def _reconcile(self, outage: str, practice: str, started_at: str, ended_at: str) -> None:
        """A third of the patients were seen, and the rest were not."""
        lost = [booking for booking in self.lost[practice] if started_at <= booking.start < ended_at]
        seen = self.client.rng.sample(lost, len(lost) // 3)
        rows = [f"{practice},{booking.start},{booking.nhs_number},attended" for booking in seen]
        by = self.client.number()
        with self.client.history.command(
            self.client.name, "reconcile", effects.reconciled(by), len(self.lost[practice])
        ) as command:
            command.least = 0
            answer = await self.client.do(
                command, "rebooking", "POST", f"/v1/outages/{outage}/reconciliation", repeat=True,
                params={"rest": "displaced", "typed_by": by},
                content="\n".join(["practice,start,nhs_number,outcome", *rows]).encode(),
                headers={"Content-Type": "text/csv"},
            )  # fmt: skip
            if answer is not None and command.outcome == "done":
                command.least = answer.json()["recorded"]
                command.most = command.least if command.tries == 1 else command.most

    async def _recover(self, outage: str, practices: Sequence[str]) -> bool:
        plan = await self._plan(outage, practices)
        if plan is None:
            return False
        await self.client.pause(PAUSE)
        by = self.client.number()
        with self.client.history.command(self.client.name, "approve", effects.approved(by), len(practices)) as command:
            body = {"hash": plan, "approved_by": by, "automatic": self.client.rng.random() < 0.5}
            path = f"/v1/outages/{outage}/approval"
            answer = await self.client.do(command, "rebooking", "POST", path, repeat=True, json=body)
            if answer is not None and command.outcome == "done":
                command.least = len(answer.json()["practices"])
            return command.outcome == "done"

    async def _plan(self, outage: str, practices: Sequence[str]) -> str | None:
        """The hash of a plan. What has not come to rebooking yet is asked for again."""
        for _ in range(PLANNED_AGAIN):
            with self.client.history.command(self.client.name, "plan", most=len(practices)) as command:
                answer = await self.client.do(
                    command, "rebooking", "POST", f"/v1/outages/{outage}/plan", repeat=False, json={}
                )
                if answer is not None and command.outcome == "done":
                    plan = str(answer.json()["hash"])
                    command.effect = effects.proposed(plan)
                    return plan
            await self.client.pause(PAUSE)
        return None

    async def _withdrawals(self) -> None:
        """Sessions that practices withdrew are recovered from like outages."""
        for outage in await self.client.look("rebooking", "/v1/outages") or ():
            if outage["kind"] == "withdrawal" and outage["outage"] not in self.taken_up:
                self.taken_up.add(outage["outage"])
                await self._recover(outage["outage"], outage["practices"])

    async def _named(self, name: str) -> str | None:
        """The outage's id, however its declaration was answered."""
        for _ in range(LOOKED_AGAIN):
            for outage in await self.client.look("rebooking", "/v1/outages") or ():
                if outage["name"] == name:
                    return str(outage["outage"])
        return None
