"""A county to test in: a fresh stream, fresh databases, and services that live as long as a test needs them."""

import asyncio
import base64
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import Any

import asyncpg
from asgi_lifespan import LifespanManager
from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient
from nats.js.errors import NotFoundError, ServerError

from services.operator.embedded import Nats, Postgres
from shared.broker import connect
from shared.database import open_engine
from shared.log import head_position
from shared.migrate import migrate
from shared.service import Blueprint, Running, open_service
from shared.settings import ServiceSettings
from shared.stream import ensure_streams, last_of, stream_configs
from shared.wire import Client
from tests.issuer import EVERYTHING, OPERATOR_SCOPE, Issuer, bearer
from tests.waiting import DEADLINE

MASTER_KEY = base64.b64encode(b"a master key for tests, 32 bytes").decode()
_NO_STORE = 10049
"""How the server says that it cannot make the files of a stream."""

_numbers = count(1)


@dataclass(slots=True)
class Servers:
    """The real PostgreSQL and NATS of this test run. `templates` are migrated databases to copy.

    `issuer` signs the tokens that every service takes; `token_keys` is its JWKS.
    """

    postgres: Postgres
    nats: Nats
    token_keys: Path
    issuer: Issuer
    templates: dict[Path, str] = field(default_factory=dict)

    async def database(self, blueprint: Blueprint) -> str:
        """The URL of a new, migrated, empty database for the service."""
        template = self.templates.get(blueprint.migrations) or await self._template(blueprint)
        name = f"{blueprint.name}_{next(_numbers)}"
        await self._run(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
        return self.postgres.url(name)

    async def _template(self, blueprint: Blueprint) -> str:
        name = f"template_{blueprint.name}_{next(_numbers)}"
        await self._run(f"CREATE DATABASE {name}")
        engine = open_engine(self.postgres.url(name))
        await migrate(engine, blueprint.migrations)
        await engine.dispose()
        self.templates[blueprint.migrations] = name
        return name

    async def drop(self, url: str) -> None:
        """The database is gone, whoever was connected to it."""
        await self._run(f"DROP DATABASE {url.rpartition('/')[2]} WITH (FORCE)")

    async def _run(self, statement: str) -> None:
        connection = await asyncpg.connect(self.postgres.url("postgres"))
        try:
            await connection.execute(statement)
        finally:
            await connection.close()

    async def fresh_streams(self) -> None:
        """Both streams, empty."""
        client = await connect(self.nats.url("operator"), "operator")
        try:
            for config in stream_configs():
                try:
                    await client.jetstream().delete_stream(config.name or "")
                except NotFoundError:
                    continue
            await _made_anew(client)
        finally:
            await client.close()


async def _made_anew(client: Client) -> None:
    """The server may still be clearing away the files of the deleted streams, and then cannot make new ones."""
    async with asyncio.timeout(DEADLINE):
        while True:
            try:
                return await ensure_streams(client)
            except ServerError as fault:
                if fault.err_code != _NO_STORE:
                    raise
            await asyncio.sleep(0.05)


class County:
    """Fresh streams and databases, and the services that a test has opened on them."""

    def __init__(self, servers: Servers) -> None:
        self.servers = servers
        self._databases: dict[str, str] = {}
        self._open: list[Running] = []
        self._now: datetime | None = None

    @property
    def at_work(self) -> Sequence[Running]:
        """The services that are open now, in the order in which they were opened."""
        return tuple(self._open)

    def clock_at(self, now: datetime) -> None:
        """Services opened from now on pretend that it is `now`."""
        self._now = now

    async def settings(self, blueprint: Blueprint, kind: type[ServiceSettings], **others: Any) -> Any:
        """Settings of the service on this county's database and broker."""
        if blueprint.name not in self._databases:
            self._databases[blueprint.name] = await self.servers.database(blueprint)
        usual = {
            "database_url": self._databases[blueprint.name],
            "nats_url": self.servers.nats.url(blueprint.name),
            "master_key": MASTER_KEY,
            "token_keys": str(self.servers.token_keys),
            "now": self._now,
            "made_up_numbers": True,
        }
        return kind(**(usual | others))

    async def lose_database(self, blueprint: Blueprint) -> None:
        """The service's database is destroyed; the next use gets a new, empty one."""
        await self.servers.drop(self._databases.pop(blueprint.name))

    @asynccontextmanager
    async def service(self, blueprint: Blueprint, kind: type[ServiceSettings], **others: Any) -> AsyncIterator[Running]:
        """The service at work, without HTTP and without its background jobs."""
        settings = await self.settings(blueprint, kind, **others)
        async with open_service(blueprint, settings) as running:
            self._open.append(running)
            try:
                yield running
            finally:
                self._open.remove(running)

    def token(
        self,
        organisation: str = "A1",
        organisation_type: str = "gp-practice",
        *,
        scope: str = EVERYTHING,
        client: str = "",
        **claims: Any,
    ) -> str:
        """A token that every service takes: that of a practice's own system, if nothing else is said."""
        return self.servers.issuer.token(
            sub=client or f"system of {organisation or 'nobody'}",
            scope=scope,
            ods_code=organisation,
            organisation_type=organisation_type,
            **claims,
        )

    def operator_token(self) -> str:
        """The token of an operator, who may see to everything."""
        return self.token("", "", scope=OPERATOR_SCOPE, client="operator")

    @asynccontextmanager
    async def client(
        self,
        create: Callable[[Any], FastAPI],
        *,
        token: str | None = None,
        headers: Mapping[str, str] | None = None,
        **others: Any,
    ) -> AsyncIterator[AsyncClient]:
        """A client of the service's whole app. `create` is the one in the service's `app` module.

        It shows an operator's token, or the one given; an empty one is none.
        """
        module: Any = sys.modules[create.__module__]
        app = create(await self.settings(module.BLUEPRINT, module.Settings, **others))
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(LifespanManager(app, startup_timeout=DEADLINE, shutdown_timeout=DEADLINE))
            self._open.append(app.state.running)
            stack.callback(self._open.remove, app.state.running)
            shown = bearer(self.operator_token() if token is None else token)
            yield await stack.enter_async_context(
                AsyncClient(
                    transport=ASGITransport(app=app),
                    base_url=f"http://{module.BLUEPRINT.name}",
                    headers={**shown, **(headers or {})},
                    timeout=DEADLINE,
                )
            )

    async def caught_up(self, *_: object, within: float = DEADLINE) -> None:
        """Wait until every open service has relayed all it recorded and followed all there is."""
        client = await connect(self.servers.nats.url("operator"), "operator")
        try:
            async with asyncio.timeout(within):
                while not await self._at_rest(client):  # noqa: ASYNC110 (there is no event for «everywhere at rest»)
                    await asyncio.sleep(0.01)
        finally:
            await client.close()

    async def _at_rest(self, client: Client) -> bool:
        """Everything was followed, then nothing was left to relay, and meanwhile nothing had come."""
        for running in self._open:
            if reason := running.relay.halted or running.relay.lost or running.follow.halted:
                raise AssertionError(f"{running.blueprint.name} halted: {reason}")
        before = await self._last_sequences(client)
        for running in self._open:
            if running.follow.sequence < max((before[source] for source in running.blueprint.sources), default=0):
                return False
        for running in self._open:
            async with running.engine.connect() as connection:
                if await head_position(connection) != running.relay.position:
                    return False
        return await self._last_sequences(client) == before

    async def _last_sequences(self, client: Client) -> dict[str, int]:
        """The sequence of the newest event of each service that anybody here follows."""
        sources = {source for running in self._open for source in running.blueprint.sources}
        return {
            source: (last.seq or 0) if (last := await last_of(client, f"daybook.{source}.>")) else 0
            for source in sources
        }
