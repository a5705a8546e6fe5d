"""Where Daybook keeps what is local to one machine: its data, its secrets, its logs, and what runs there now."""

import base64
import fcntl
import os
import secrets
import socket
import tempfile
from collections.abc import Callable, Iterator, Mapping
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
    twilio_account: str = ""
    twilio_token: str = ""


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

    @property
    def snapshots(self) -> Path:
        return self.root / "snapshots"

    def secrets(self) -> Secrets:
        """What the first start made up, or now makes up."""
        self.made_once("secrets.json", lambda: msgspec.json.encode(_new_secrets()))
        return _decode(self.root / "secrets.json", Secrets)

    def made_once(self, name: str, make: Callable[[], bytes]) -> bytes:
        """What this file holds; made up now if it is not there. Of several who do at once, the first one counts."""
        path = self.root / name
        if not path.exists():
            new = self._new(name, make())
            try:
                os.link(new, path)
            except FileExistsError:
                pass
            finally:
                new.unlink()
        return path.read_bytes()

    def published(self, name: str, content: bytes) -> Path:
        """A file of this content, for anyone on this machine to read."""
        path = self.root / name
        if not path.exists() or path.read_bytes() != content:
            new = self._new(name, content)
            new.chmod(0o644)
            new.rename(path)
        return path

    def running(self) -> RunningSystem | None:
        """The system that `daybook up` keeps running here, or none."""
        path = self.root / "daybook.json"
        if not path.exists():
            return None
        system = _decode(path, RunningSystem)
        return system if _somebody_listens(system.control) else None

    def announce(self, system: RunningSystem) -> None:
        facts = msgspec.json.format(msgspec.json.encode(system))
        self._new("daybook.json", facts).rename(self.root / "daybook.json")

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

    def _new(self, name: str, content: bytes) -> Path:
        """A new file beside, whole and for the owner's eyes only, that is yet to take its name."""
        self.root.mkdir(parents=True, exist_ok=True)
        descriptor, path = tempfile.mkstemp(dir=self.root, prefix=f"{name}.", suffix=".new")
        with open(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        return Path(path)


def home_of(environment: Mapping[str, str]) -> Home:
    return Home(Path(environment.get("DAYBOOK_HOME") or ".daybook").absolute())


def _new_secrets() -> Secrets:
    return Secrets(
        postgres_password=secrets.token_hex(16),
        nats_passwords={user: secrets.token_hex(16) for user in NATS_USERS},
        master_key=base64.b64encode(secrets.token_bytes(32)).decode(),
        callback_token=secrets.token_urlsafe(32),
        twilio_account=f"AC{secrets.token_hex(16)}",
        twilio_token=secrets.token_hex(16),
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
