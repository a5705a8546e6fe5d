"""What runs on one machine, and how each process of it is started and known to be up."""

import asyncio
import signal
import socket
import sys
from collections.abc import Mapping
from dataclasses import dataclass

from services.operator.child import ChildPlan, last_words
from services.operator.embedded import Nats, Postgres, wait_for_nats, wait_for_postgres
from services.operator.home import Secrets
from services.operator.issuing import published_keys
from services.operator.settings import HOST, NATS_PORT, NEVER, POSTGRES_PORT, SERVICES, OperatorSettings
from services.operator.waiting import wait_for_http
from shared.clock import Clock
from shared.refusals import Conflict, Unavailable
from shared.settings import PORTS

_MODULES = {
    **{service: f"services.{service}" for service in SERVICES},
    "sandbox": "services.notifications.sandbox",
    "console": "services.operator.console",
}
_PORT_NAMES = {"console": "operator"}

SANDBOX_NUMBER = "+447700900998"
"""Twilio's side of the sandbox writes from it: a number that nobody has."""


@dataclass(frozen=True, slots=True)
class Machine:
    """One machine as it should run. `clock` is the pretended time, which every process starts with anew."""

    settings: OperatorSettings
    clock: Clock

    def servers(self) -> list[ChildPlan]:
        """PostgreSQL and NATS, their directories made, unless others are to be used. Blocking."""
        plans = []
        if self.settings.own_database_server:
            plans.append(self._postgres_plan())
        if self.settings.own_broker:
            plans.append(self._nats_plan())
        return plans

    def programs(self) -> list[ChildPlan]:
        """Our own processes: the services, the sandbox and the console."""
        return [self._program(name, module) for name, module in _MODULES.items()]

    def jobs(self) -> list[ChildPlan]:
        """What goes on beside them, and answers nobody: the continuity pack of every night."""
        at = self.settings.continuity_at
        if at == NEVER:
            return []
        command = [sys.executable, "-m", "services.operator", "continuity-pack", "--every-night", at]
        return [ChildPlan("continuity", f"every night at {at}", command, self.environment, _at_once)]

    def ports(self) -> Mapping[str, int]:
        """The ports that must be free for it."""
        base = self.settings.port_base
        ports = {name: base + PORTS[_PORT_NAMES.get(name, name)] for name in _MODULES}
        if self.settings.own_broker:
            ports["nats"] = base + NATS_PORT
        if self.settings.own_database_server:
            ports["postgres"] = base + POSTGRES_PORT
        return ports

    def command(self, service: str, *arguments: str) -> list[str]:
        """The service's own command: `serve`, `migrate`, `rebuild` …"""
        return [sys.executable, "-m", _MODULES[service], *arguments]

    async def run(self, service: str, *arguments: str) -> None:
        """Run a command of a service to its end, into its log. Raises `Unavailable` if it fails."""
        self.settings.home.logs.mkdir(parents=True, exist_ok=True)
        log = self.settings.home.logs / f"{service}.log"
        with log.open("ab") as file:
            process = await asyncio.create_subprocess_exec(
                *self.command(service, *arguments), env=self.environment(), stdout=file, stderr=file
            )
        try:
            code = await process.wait()
        finally:
            if process.returncode is None:
                process.kill()
        if code:
            raise Unavailable(f"`{service} {' '.join(arguments)}` failed: {last_words(log)}", code="command-failed")

    def environment(self) -> dict[str, str]:
        """What every process of Daybook is told at this moment. What we were told goes before what we make up."""
        settings, secrets = self.settings, self.settings.home.secrets()
        made_up = {
            "DAYBOOK_DATABASE_URL": settings.database_url(),
            "DAYBOOK_MASTER_KEY": secrets.master_key,
            "DAYBOOK_CALLBACK_TOKEN": secrets.callback_token,
            "DAYBOOK_GATEWAY_KEY": secrets.gateway_key,
            **_second_provider(secrets, settings.given),
            "DAYBOOK_TOKEN_KEYS": str(published_keys(settings.home)),
            "DAYBOOK_MADE_UP_NUMBERS": str(settings.own_database_server).lower(),
            "DAYBOOK_SNAPSHOTS": str(settings.home.snapshots),
            **{f"{user.upper()}_NATS_URL": settings.broker_url(user) for user in (*SERVICES, "operator")},
        }
        ours = {"DAYBOOK_HOME": str(settings.home.root), "DAYBOOK_PORT_BASE": str(settings.port_base)}
        if settings.now:
            ours["DAYBOOK_NOW"] = self.clock.now().isoformat()
        given = {name: value for name, value in settings.given.items() if value}
        return {**made_up, **given, **ours}

    def refuse_ports_in_use(self) -> None:
        """Raises `Conflict` naming the first port that something else listens on."""
        for name, port in self.ports().items():
            if not _is_free(port):
                raise Conflict(
                    f"port {port}, meant for {name}, is in use: stop what listens there, or choose other ports with "
                    f"DAYBOOK_PORT_BASE (now {self.settings.port_base})",
                    code="port-in-use",
                    where=f"port {port}",
                )

    def _postgres_plan(self) -> ChildPlan:
        password = self.settings.home.secrets().postgres_password
        port = self.settings.port_base + POSTGRES_PORT
        server = Postgres(self.settings.home.root / "postgres", port, password, dies_with_parent=True)
        server.prepare()

        async def ready(within: float) -> None:
            await wait_for_postgres(server.url(), within=within)

        return ChildPlan(
            "postgres", f"{HOST}:{port}", server.command(), lambda: self.settings.given, ready, signal.SIGINT
        )

    def _nats_plan(self) -> ChildPlan:
        port = self.settings.port_base + NATS_PORT
        server = Nats(self.settings.home.root / "nats", port, self.settings.home.secrets().nats_passwords)
        server.prepare()

        async def ready(within: float) -> None:
            await wait_for_nats(server.url("operator"), within=within)

        return ChildPlan(
            "nats",
            f"nats://{HOST}:{port}",
            server.command(),
            lambda: {**self.settings.given, **server.environment()},
            ready,
            signal.SIGINT,
        )

    def _program(self, name: str, module: str) -> ChildPlan:
        address = f"http://{HOST}:{self.ports()[name]}"
        command = self.command(name, "serve", "--migrate") if name in SERVICES else [sys.executable, "-m", module]

        async def ready(within: float) -> None:
            await wait_for_http(f"{address}/livez", within=within)

        return ChildPlan(name, address, command, self.environment, ready)


def _second_provider(secrets: Secrets, given: Mapping[str, str]) -> dict[str, str]:
    """Twilio's side of the sandbox; not beside a real gateway, or texts that it cannot take would go nowhere."""
    if given.get("NOTIFICATIONS_GATEWAY_URL") or given.get("DAYBOOK_GATEWAY_URL") or not secrets.twilio_account:
        return {}
    return {
        "DAYBOOK_TWILIO_ACCOUNT": secrets.twilio_account,
        "DAYBOOK_TWILIO_TOKEN": secrets.twilio_token,
        "DAYBOOK_TWILIO_SENDER": SANDBOX_NUMBER,
    }


async def _at_once(_within: float) -> None:
    """For what is up as soon as it runs."""


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True
