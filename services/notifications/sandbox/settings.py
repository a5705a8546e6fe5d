"""What the sandbox is told from outside."""

import os
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from services.notifications.gateways import parse_key
from shared.clock import LONDON
from shared.refusals import Refusal
from shared.settings import PORTS

PREFIXES = ("SANDBOX", "NOTIFICATIONS", "DAYBOOK")
"""In the environment each setting has one of these before it; by default the sandbox shares the service's secrets."""


class SandboxSettings(BaseModel):
    """Settings of the sandbox."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    gateway_key: SecretStr
    """The one API key it lets in."""
    callback_token: SecretStr
    """What it shows when it brings receipts and replies."""
    callback_url: str = ""
    """Where it brings them; if empty, to notifications on this machine."""
    directory: Path | None = None
    """Where it keeps what it accepted; if none, in `sandbox` under `home`."""
    home: Path = Path(".daybook")
    host: str = "127.0.0.1"
    port: int = 0
    """Where it listens; if 0, its usual place after `port_base`."""
    port_base: int = 8000
    now: datetime | None = None
    """A pretended start instant; without offset it is Europe/London."""
    callbacks_at_once: int = Field(default=32, ge=1)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ, **given: Any) -> Self:
        """Read them; what is `given` wins. Raises `Refusal` naming what is missing or makes no sense."""
        found = {
            name: value
            for name in cls.model_fields
            if (value := next(filter(None, (environment.get(f"{prefix}_{name.upper()}") for prefix in PREFIXES)), ""))
        }
        try:
            settings = cls(**(found | {name: value for name, value in given.items() if value is not None}))
        except ValidationError as invalid:
            wrong = "; ".join(f"SANDBOX_{error['loc'][0]!s:s}: {error['msg']}" for error in invalid.errors())
            raise Refusal(f"The sandbox cannot start. {wrong}", code="bad-settings") from None
        parse_key(settings.gateway_key.get_secret_value())
        return settings

    @property
    def journal(self) -> Path:
        return (self.directory or self.home / "sandbox") / "journal.jsonl"

    @property
    def listens_at(self) -> int:
        return self.port or self.port_base + PORTS["sandbox"]

    @property
    def calls_back(self) -> str:
        return self.callback_url or f"http://{self.host}:{self.port_base + PORTS['notifications']}"

    def start_instant(self) -> datetime | None:
        """`now` with an offset."""
        return self.now.replace(tzinfo=LONDON) if self.now and self.now.tzinfo is None else self.now
