"""What notifications is told from outside: the gateway it sends through, how fast, and who may call it back."""

from decimal import Decimal
from pathlib import Path
from typing import ClassVar, Literal, Self

from pydantic import Field, SecretStr, model_validator

from shared.settings import PORTS, ServiceSettings


class NotificationsSettings(ServiceSettings):
    """`NOTIFICATIONS_…`."""

    service: ClassVar[str] = "notifications"

    gateway_url: str = ""
    """A server that speaks GOV.UK Notify's wire; if empty, the sandbox of this machine."""
    gateway_key: SecretStr
    """An API key as Notify writes it: `<name>-<service id>-<secret>`."""
    gateway_template: str = "0d3bd5ef-6b3c-4c1c-9f0e-5d8f4f3a7c11"
    """The id of a Notify template that holds nothing but `((body))`: the wording is ours."""
    gateway_timeout: float = Field(default=10.0, gt=0)
    callback_token: SecretStr
    """What Notify must show when it brings receipts and replies."""
    first: Literal["notify", "twilio"] = "notify"
    """The provider that takes all messages as long as all is well."""
    twilio_url: str = ""
    """A server that speaks Twilio's wire; if empty, the sandbox of this machine."""
    twilio_account: str = ""
    """The account's SID; if empty, there is no second provider."""
    twilio_token: SecretStr = SecretStr("")
    """The account's token, by which Twilio signs what it brings, too."""
    twilio_sender: str = ""
    """The number (E.164) or the Messaging Service (its SID) that patients are written to from, and answer."""
    public_url: str = ""
    """Where Twilio reaches this service, and what its signatures are made for; if empty, on this machine."""
    rate: float = Field(default=45.0, gt=0)
    """Messages a second to Notify, evenly. It allows 50, and refuses bursts."""
    twilio_rate: float = Field(default=10.0, gt=0)
    """Messages a second to Twilio, evenly: what the sender's numbers carry together."""
    daily_limit: int = Field(default=250_000, ge=0)
    """Messages a day (UTC) to Notify, as it allows; 0: any number."""
    twilio_daily_limit: int = Field(default=0, ge=0)
    hourly_to_one: int = Field(default=5, ge=1)
    """Messages an hour to one telephone number, well under what the networks cut off at."""
    concurrency: int = Field(default=128, ge=1)
    """Messages at the gateways at once."""
    looks: int = Field(default=3, ge=1)
    """How often the provider must say it does not have a message before that is believed."""
    look_every: float = Field(default=2.0, gt=0)
    settle: float = Field(default=15.0, gt=0)
    """Seconds after which a request whose answer was lost has surely ended at the provider, one way or the other."""
    attempts: int = Field(default=3, ge=1)
    """How many tries of unknown outcome one message may have. Each needs proof that those before it were not sent."""
    silent_after: float = Field(default=73 * 3600.0, gt=0)
    """Seconds after which a message that nothing was heard of is asked about, and else counts as silent: Notify's
    carriers try for 72 hours."""
    silent_before: float = Field(default=24 * 3600.0, ge=0)
    """Seconds before its appointment at which that happens at the latest, but for `silent_at_least` after sending."""
    silent_at_least: float = Field(default=4 * 3600.0, gt=0)
    reminders: bool = True
    """Whether patients are reminded 3 days and 1 day ahead."""
    confirmations: bool = True
    """Whether an answer is answered."""
    templates: Path | None = None
    """A folder with wording of one's own; if none, Daybook's."""
    language: str = "en"
    segment_price: Decimal = Field(default=Decimal("2.4"), ge=0)
    """What one part of a message costs, in pence without VAT: Notify's price from April 2026."""

    @model_validator(mode="after")
    def _settles_after_it_gives_up(self) -> Self:
        """A request that we still wait for must never be taken for one that did not arrive, and be sent again."""
        if self.settle <= self.gateway_timeout:
            raise ValueError("settle must be longer than gateway_timeout, or a patient may be texted twice")
        return self

    @model_validator(mode="after")
    def _knows_whom_it_sends_through(self) -> Self:
        if self.twilio_account and not (self.twilio_token.get_secret_value() and self.twilio_sender):
            raise ValueError("twilio_account needs twilio_token and twilio_sender beside it")
        if self.first == "twilio" and not self.twilio_account:
            raise ValueError("first is twilio, but there is no twilio_account")
        return self

    @property
    def providers(self) -> tuple[Literal["notify", "twilio"], ...]:
        """Those there are, the preferred one first."""
        if not self.twilio_account:
            return ("notify",)
        return ("notify", "twilio") if self.first == "notify" else ("twilio", "notify")

    @property
    def provider_url(self) -> str:
        """Where Notify is."""
        return self.gateway_url or self._local("sandbox")

    @property
    def twilio_api(self) -> str:
        """Where Twilio is."""
        return self.twilio_url or self._local("sandbox")

    @property
    def reached_at(self) -> str:
        """Where Twilio finds this service, without a slash at the end."""
        return (self.public_url or self._local(self.service)).rstrip("/")

    def _local(self, service: str) -> str:
        return f"http://{self.host}:{self.port_base + PORTS[service]}"


def own_settings(settings: ServiceSettings) -> NotificationsSettings:
    """The settings of a running notifications as what they are."""
    if not isinstance(settings, NotificationsSettings):
        raise TypeError("notifications was started with another service's settings")
    return settings
