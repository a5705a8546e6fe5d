"""What every service is told from outside: where its database and the broker are, and its keys."""

import os
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError
from sqlalchemy import make_url

from shared.clock import LONDON
from shared.refusals import Refusal

PORTS: Mapping[str, int] = {"operator": 0, "booking": 1, "rebooking": 2, "notifications": 3, "sandbox": 4}
"""Each process's port, counted from `DAYBOOK_PORT_BASE`."""


class ServiceSettings(BaseModel):
    """Settings of one service. In the environment each is `<SERVICE>_<FIELD>` or else `DAYBOOK_<FIELD>`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    service: ClassVar[str]

    database_url: str
    """A `postgresql://` URL. `DAYBOOK_DATABASE_URL` names the server: the database there is called like the service."""
    nats_url: str
    """One or more `nats://user:password@host:port`, comma-separated."""
    master_key: SecretStr
    """Base64 of the 32 bytes that wrap every patient's key."""
    token_keys: str = Field(min_length=1)
    """Where the JWKS is by which tokens are checked: a file, or an http(s) URL of whoever issues them."""
    token_issuer: str = Field(default="daybook", min_length=1)
    """What a token's `iss` must be."""
    token_audience: str = Field(default="daybook", min_length=1)
    """What a token's `aud` must name."""
    requests_per_second: float = Field(default=500.0, gt=0)
    """How many requests each client may send in the long run. A county sets what its largest practice system needs at
    8 a.m., some 20 to 50; the default stops only what has run wild."""
    requests_burst: int = Field(default=5000, ge=1)
    """How many requests a client that was quiet may send at once."""
    now: datetime | None = None
    """A pretended start instant; without offset it is Europe/London."""
    host: str = "127.0.0.1"
    port_base: int = 8000
    relay_wait: float = 1.0
    """Seconds an answer waits for the stream's copy while the broker is up."""
    made_up_numbers: bool = False
    """Whether telephone numbers that cannot be anyone's are taken for real ones (demonstrations and tests)."""
    snapshots: Path | None = None
    """Where a rebuild leaves its tables for the next one, and looks for them; without it none are kept.
    `DAYBOOK_SNAPSHOTS` names the folder of all services: there each has one called like it."""

    @property
    def port(self) -> int:
        """Where this service listens."""
        return self.port_base + PORTS[self.service]

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Self:
        """Read them. Raises `Refusal` that names every variable that is missing or makes no sense."""
        found: dict[str, Any] = {}
        for name in cls.model_fields:
            for prefix in ("DAYBOOK", cls.service.upper()):
                value = environment.get(f"{prefix}_{name.upper()}", "")
                if value:
                    found[name] = cls._own(name, value) if prefix == "DAYBOOK" else value
        try:
            return cls(**found)
        except ValidationError as invalid:
            raise Refusal(_complaint(cls.service, invalid), code="bad-settings") from None

    @classmethod
    def _own(cls, name: str, common: str) -> str:
        """What is this service's part of what all are told."""
        match name:
            case "database_url":
                return make_url(common).set(database=cls.service).render_as_string(hide_password=False)
            case "snapshots":
                return str(Path(common) / cls.service)
            case _:
                return common

    def start_instant(self) -> datetime | None:
        """`now` with an offset."""
        if self.now is None or self.now.tzinfo is not None:
            return self.now
        return self.now.replace(tzinfo=LONDON)


def _complaint(service: str, invalid: ValidationError) -> str:
    """One sentence per variable; the values stay out, since some are secrets."""
    wrong = ("_".join([service, *map(str, error["loc"])]).upper() + f": {error['msg']}" for error in invalid.errors())
    return f"{service} cannot start. " + "; ".join(wrong) + " (each may also be given as DAYBOOK_…)"
