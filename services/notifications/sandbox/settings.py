"""What the sandbox is told from outside."""

import os
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from services.notifications.notify_gateway import parse_key
from services.notifications.sandbox.accounts import NotifyAccount, TwilioAccount
from shared.clock import LONDON
from shared.refusals import Refusal
from shared.settings import PORTS

PREFIXES = ("SANDBOX", "NOTIFICATIONS", "DAYBOOK")
"""In the environment each setting has one of these before it; by default the sandbox shares the service's secrets."""

NUMBER = "+447700900998"
MESSAGING_SERVICE = "MG" + 32 * "0"
"""What Twilio's sender is where it is not said."""


class SandboxSettings(BaseModel):
    """Settings of the sandbox."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    gateway_key: SecretStr
    """The one API key of GOV.UK Notify it lets in."""
    callback_token: SecretStr
    """What it shows, as Notify, when it brings receipts and replies."""
    gateway_template: str = "0d3bd5ef-6b3c-4c1c-9f0e-5d8f4f3a7c11"
    """The id of the one template there is at Notify."""
    twilio_account: str = Field(default="AC" + 32 * "0", pattern=r"^AC[0-9a-f]{32}$")
    """The one account of Twilio it lets in."""
    twilio_token: SecretStr = Field(default=SecretStr(32 * "0"), min_length=1)
    """The account's token, and what it signs with, as Twilio. The default is no secret."""
    twilio_sender: str = Field(default=NUMBER, pattern=r"^(\+[1-9][0-9]{6,14}|MG[0-9a-f]{32})$")
    """The number that patients see and answer when it sends as Twilio, or a Messaging Service that has one."""
    callback_url: str = ""
    """Where it brings them; if empty, to notifications on this machine."""
    public_url: str = ""
    """Where it brings texts as Twilio, and signs for; if empty, the same. Receipts go where a message asks for them."""
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
            wrong = "; ".join(f"SANDBOX_{str(error['loc'][0]).upper()}: {error['msg']}" for error in invalid.errors())
            raise Refusal(f"The sandbox cannot start. {wrong}", code="bad-settings") from None
        settings.accounts()
        return settings

    def accounts(self) -> tuple[NotifyAccount, TwilioAccount]:
        """What it is at GOV.UK Notify and at Twilio. Raises `Refusal` if the key is none."""
        service, secret = parse_key(self.gateway_key.get_secret_value())
        notify = NotifyAccount(
            service=service,
            secret=secret,
            callback_token=self.callback_token.get_secret_value(),
            calls_back=self.calls_back,
            template=self.gateway_template,
        )
        is_number = self.twilio_sender.startswith("+")
        twilio = TwilioAccount(
            sid=self.twilio_account,
            token=self.twilio_token.get_secret_value(),
            calls_back=self.public_url.rstrip("/") or self.calls_back,
            number=self.twilio_sender if is_number else NUMBER,
            messaging_service=MESSAGING_SERVICE if is_number else self.twilio_sender,
        )
        return notify, twilio

    @property
    def journal(self) -> Path:
        return (self.directory or self.home / "sandbox") / "journal.jsonl"

    @property
    def listens_at(self) -> int:
        return self.port or self.port_base + PORTS["sandbox"]

    @property
    def calls_back(self) -> str:
        return self.callback_url.rstrip("/") or f"http://{self.host}:{self.port_base + PORTS['notifications']}"

    def start_instant(self) -> datetime | None:
        """`now` with an offset."""
        return self.now.replace(tzinfo=LONDON) if self.now and self.now.tzinfo is None else self.now
