"""One run: fill a small county, let clients work while the nemesis does, heal, wait for rest, and check."""

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import Any

from services.operator.settings import SERVICES
from tests.chaos.asking import Client, connections
from tests.chaos.checking import violations
from tests.chaos.evidence import Violation
from tests.chaos.gathering import gather
from tests.chaos.history import History
from tests.chaos.nemesis import Nemesis
from tests.chaos.office import Office
from tests.chaos.rest import NeverAtRest, at_rest
from tests.chaos.schedule import Schedule
from tests.chaos.stand import Stand, stand_at
from tests.journeys.recovery import District, district_of, fill

CONVERGED_WITHIN = 150.0


@dataclass(frozen=True, slots=True)
class Size:
    """How large the county is: its practices, and their appointments on the lost day. Of the services that are `again`
    made from a snapshot, one is kept before the clients begin; in the end they are made from the first event, too.
    """

    practices: int = 3
    appointments: int = 150
    again: Sequence[str] = SERVICES


USUAL = Size()


@dataclass(slots=True)
class Run:
    """What a run came to. `converged` is how many seconds after the healing all was at rest."""

    schedule: Schedule
    history: History = field(default_factory=History)
    faults: Counter[str] = field(default_factory=Counter)
    events: int = 0
    messages: int = 0
    converged: float = 0.0
    seconds: float = 0.0
    disk: str = ""
    violations: list[Violation] = field(default_factory=list)


async def run(schedule: Schedule, home: Path, tell: Callable[[str], None], size: Size = USUAL) -> Run:
    """The whole of it. The home is left to whoever wants to look."""
    began, ran = monotonic(), Run(schedule)
    async with stand_at(home) as stand, connections() as http:
        district = district_of(size.practices, size.appointments)
        await asyncio.to_thread(fill, stand.daybook, district)
        office = Office(stand, district, http, ran.history, schedule.seed)
        operator = office.operator()
        await _open(operator, district)
        desk = office.desk()
        before = {service: (await operator.look(service, "/v1/status"))["position"] for service in SERVICES}
        nemesis = Nemesis(stand, tell)
        await desk.begin()
        await at_rest(operator, within=CONVERGED_WITHIN)
        await asyncio.to_thread(_keep_snapshots, stand, size)
        await _work(office.work(desk), nemesis, schedule)
        ran.faults, ran.disk = nemesis.done, stand.disk.sort
        await stand.heal()
        try:
            ran.converged = await at_rest(operator, within=CONVERGED_WITHIN)
        except NeverAtRest as never:
            ran.violations.append(Violation("It did not converge", str(never)))
        evidence = await gather(stand.daybook.settings, ran.history, before)
        ran.events, ran.messages = len(evidence.log), len(evidence.journal)
        ran.violations += [*nemesis.found, *await asyncio.to_thread(_unequal, stand, size), *violations(evidence)]
    ran.seconds = monotonic() - began
    return ran


async def _work(work: Iterable[Coroutine[Any, Any, None]], nemesis: Nemesis, schedule: Schedule) -> None:
    """Clients go on as long as the schedule says, and until its last fault is over."""
    async with asyncio.TaskGroup() as group:
        clients = [group.create_task(each) for each in work]
        await asyncio.gather(nemesis.run(schedule), asyncio.sleep(schedule.seconds))
        for client in clients:
            client.cancel()


async def _open(operator: Client, district: District) -> None:
    """Every slot is open to everybody, so that strangers race for them, too."""
    for practice in district.codes:
        if await operator.look("booking", f"/v1/practices/{practice}/opening", "PUT", json={}) is None:
            raise RuntimeError(f"the slots of {practice} could not be opened")


def _keep_snapshots(stand: Stand, size: Size) -> None:
    """From which the tables are made again in the end, with all that has come since."""
    for service in size.again:
        stand.daybook.command("rebuild", service, "--verify")


def _unequal(stand: Stand, size: Size) -> list[Violation]:
    """What Daybook's own commands say: both copies of the log; tables from a snapshot on, and from the first event."""
    asked = [
        ("log", "verify"),
        *(("rebuild", service, "--verify") for service in SERVICES),
        *(("rebuild", service, "--verify", "--whole") for service in size.again),
    ]
    found = []
    for words in asked:
        done = stand.daybook.command(*words)
        if done.returncode:
            found.append(Violation(f"`daybook {' '.join(words)}` finds a difference", done.stdout + done.stderr))
    return found
