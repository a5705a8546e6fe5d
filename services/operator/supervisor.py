"""Runs everything on one machine as child processes: PostgreSQL, NATS, the services, the SMS sandbox, the console."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from contextlib import AsyncExitStack
from typing import Self

from services.operator.broker import make_streams
from services.operator.child import Child, ChildPlan
from services.operator.control import ChildView, Request, listening
from services.operator.databases import ensure_database
from services.operator.home import RunningSystem
from services.operator.machine import Machine
from services.operator.settings import SERVICES, OperatorSettings
from shared.clock import clock_starting_at
from shared.refusals import NotFound


class Supervisor:
    """The running system of one home. `tell` hears, in sentences, what happens unasked.

    async with Supervisor(operator_settings(), print) as supervisor:
        ...
    """

    def __init__(self, settings: OperatorSettings, tell: Callable[[str], None]) -> None:
        self.settings = settings
        self.machine = Machine(settings, clock_starting_at(settings.now))
        self._tell = tell
        self._open = AsyncExitStack()
        self._children: dict[str, Child] = {}

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """Return when everything answers. Raises `Refusal`, with nothing left running, if something cannot."""
        self._open.enter_context(self.settings.home.locked())
        try:
            self.machine.refuse_ports_in_use()
            await self._start(await asyncio.to_thread(self.machine.servers))
            await make_streams(self.settings)
            await self._start(self.machine.programs())
            await self._start(self.machine.jobs())
            control = await self._open.enter_async_context(listening(self._control))
            self.settings.home.announce(self._system(control))
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Stop everything, last started first."""
        self.settings.home.withdraw()
        for child in reversed(self._children.values()):
            await child.stop()
        await self._open.aclose()

    def children(self) -> tuple[ChildView, ...]:
        """Every process as it stands, in order of start."""
        return tuple(child.view() for child in self._children.values())

    async def stop_child(self, name: str) -> None:
        """It stays down until `start_child`."""
        await self._child(name).stop()

    async def start_child(self, name: str) -> None:
        """Start it after `stop_child`; a service gets a database first, if its own has gone."""
        await self._bring_up(name, self._child(name))

    async def run(self, service: str, *arguments: str) -> None:
        """Run a command of a service to its end, into its log. Raises `Unavailable` if it fails."""
        await self.machine.run(service, *arguments)

    async def _start(self, plans: list[ChildPlan]) -> None:
        children = {plan.name: Child(plan, self.settings.home.logs, self._tell) for plan in plans}
        self._children |= children
        await _all(self._bring_up(name, child) for name, child in children.items())

    async def _bring_up(self, name: str, child: Child) -> None:
        if name in SERVICES:
            await ensure_database(self.settings, name)
        await child.start()

    def _child(self, name: str) -> Child:
        if name not in self._children:
            raise NotFound(
                f"there is no process “{name}” here, only {', '.join(self._children)}", code="no-such-process"
            )
        return self._children[name]

    async def _control(self, request: Request) -> tuple[ChildView, ...]:
        match request.do:
            case "stop":
                await self.stop_child(request.child)
            case "start":
                await self.start_child(request.child)
            case "show":
                pass
        return self.children()

    def _system(self, control: str) -> RunningSystem:
        addresses = {name: child.plan.address for name, child in self._children.items()}
        return RunningSystem(port_base=self.settings.port_base, control=control, addresses=addresses)


async def _all(doing: Iterable[Awaitable[None]]) -> None:
    """Together, and to the end of each, before the first fault is raised."""
    for outcome in await asyncio.gather(*doing, return_exceptions=True):
        if isinstance(outcome, BaseException):
            raise outcome
