"""Where Daybook keeps what is local to one machine: its data, its secrets, its logs, and what runs there now."""

import base64
import fcntl
import os
import secrets
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar
from uuid import UUID

import msgspec
from msgspec import Struct

from services.operator.embedded import NATS_USERS
from shared.refusals import Conflict, Refusal

S = TypeVar("S", bound=Struct)


class Secrets(Struct, frozen=True, kw_only=True):
    """Made at the first start, and never shown."""

    postgres_password: str
    nats_passwords: dict[str, str]
    master_key: str
    callback_token: str
    gateway_key: str


class RunningSystem(Struct, frozen=True, kw_only=True):
    """Where everything of the running `daybook up` is, for the other commands to find."""

    port_base: int
    control: str
    addresses: dict[str, str]


@dataclass(frozen=True, slots=True)
class Home:
    """The directory `DAYBOOK_HOME`, by default `.daybook` where the command is given."""

    root: Path

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    def secrets(self) -> Secrets:
        """What the first start made up, or now makes up."""
        path = self.root / "secrets.json"
        if not path.exists():
            self._write(path, msgspec.json.encode(_new_secrets()))
        return _decode(path, Secrets)

    def running(self) -> RunningSystem | None:
        """The system that `daybook up` keeps running here, or none."""
        path = self.root / "daybook.json"
        if not path.exists():
            return None
        system = _decode(path, RunningSystem)
        return system if _somebody_listens(system.control) else None

    def announce(self, system: RunningSystem) -> None:
        self._write(self.root / "daybook.json", msgspec.json.format(msgspec.json.encode(system)))

    def withdraw(self) -> None:
        (self.root / "daybook.json").unlink(missing_ok=True)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Nobody else runs Daybook here meanwhile. The lock goes with the process, however that ends."""
        self.root.mkdir(parents=True, exist_ok=True)
        self.logs.mkdir(exist_ok=True)
        with (self.root / "lock").open("a") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise Conflict(
                    f"Daybook is already running in {self.root}; stop it first, or choose another directory with "
                    "DAYBOOK_HOME",
                    code="already-running",
                    where="DAYBOOK_HOME",
                ) from None
            yield

    def _write(self, path: Path, content: bytes) -> None:
        """All or nothing, and for the owner's eyes only."""
        self.root.mkdir(parents=True, exist_ok=True)
        new = path.with_suffix(".new")
        with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        new.rename(path)


def home_of(environment: Mapping[str, str]) -> Home:
    return Home(Path(environment.get("DAYBOOK_HOME") or ".daybook").absolute())


def _new_secrets() -> Secrets:
    return Secrets(
        postgres_password=secrets.token_hex(16),
        nats_passwords={user: secrets.token_hex(16) for user in NATS_USERS},
        master_key=base64.b64encode(secrets.token_bytes(32)).decode(),
        callback_token=secrets.token_urlsafe(32),
        gateway_key="-".join(["sandbox", *(str(UUID(bytes=secrets.token_bytes(16))) for _ in range(2))]),
    )


def _somebody_listens(path: str) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(path) == 0


def _decode(path: Path, kind: type[S]) -> S:
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except msgspec.DecodeError as problem:
        raise Refusal(f"{path} cannot be read: {problem}", code="bad-home", where=str(path)) from None
