"""Real PostgreSQL and real NATS for the whole run, and a fresh county for each test that asks for one."""

import asyncio
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from xdist.remote import Producer

from services.operator.embedded import NATS_USERS, Nats, Postgres, free_ports, wait_for_nats, wait_for_postgres
from tests.harness import County, Servers
from tests.issuer import Issuer, write_keys
from tests.sharing_out import SharingOut
from tests.waiting import DEADLINE


def pytest_configure() -> None:
    """A shell that runs us in the background has us ignore Ctrl-C, and with us all that is started and interrupted."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> SharingOut | None:
    """Asked for when the tests run on several cores."""
    return SharingOut(config, log) if config.getvalue("dist") == "loadfile" else None


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """Both engines, started once; each test gets databases and streams of its own."""
    home: Path = tmp_path_factory.mktemp("engines")
    postgres_port, nats_port = free_ports(2)
    postgres = Postgres(directory=home / "postgres", port=postgres_port, password="for-tests", durable=False)
    nats = Nats(directory=home / "nats", port=nats_port, passwords=dict.fromkeys(NATS_USERS, "for-tests"))
    with (home / "engines.log").open("wb") as log:
        children = []
        for server in (postgres, nats):
            server.prepare()
            environment = os.environ | server.environment()
            children.append(subprocess.Popen(server.command(), env=environment, stdout=log, stderr=log))
        try:
            asyncio.run(_ready(postgres, nats))
            issuer = Issuer()
            token_keys = home / "jwks.json"
            write_keys(token_keys, issuer)
            yield Servers(postgres, nats, token_keys, issuer)
        finally:
            for child in children:
                child.send_signal(signal.SIGINT)
            for child in children:
                child.wait(timeout=DEADLINE)


async def _ready(postgres: Postgres, nats: Nats) -> None:
    await wait_for_postgres(postgres.url(), within=DEADLINE)
    await wait_for_nats(nats.url("operator"), within=DEADLINE)


@pytest.fixture
async def county(servers: Servers) -> County:
    """Empty streams, and empty databases as they are asked for."""
    await servers.fresh_streams()
    return County(servers)
