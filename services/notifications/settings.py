"""What notifications is told from outside: the gateway it sends through, how fast, and who may call it back."""

from typing import ClassVar, Self

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
    """What the gateway must show when it brings receipts and replies."""
    rate: float = Field(default=45.0, gt=0)
    """Messages a second, evenly. Notify allows 50, and refuses bursts."""
    concurrency: int = Field(default=128, ge=1)
    """Messages at the gateway at once."""
    looks: int = Field(default=3, ge=1)
    """How often the provider must say it does not have a message before that is believed."""
    look_every: float = Field(default=2.0, gt=0)
    settle: float = Field(default=15.0, gt=0)
    """Seconds after which a request whose answer was lost has surely ended at the provider, one way or the other."""
    attempts: int = Field(default=3, ge=1)
    """How often one message may be tried. Each try after the first needs proof that those before it were not sent."""

    @model_validator(mode="after")
    def _settles_after_it_gives_up(self) -> Self:
        """A request that we still wait for must never be taken for one that did not arrive, and be sent again."""
        if self.settle <= self.gateway_timeout:
            raise ValueError("settle must be longer than gateway_timeout, or a patient may be texted twice")
        return self

    @property
    def provider_url(self) -> str:
        return self.gateway_url or f"http://{self.host}:{self.port_base + PORTS['sandbox']}"


def own_settings(settings: ServiceSettings) -> NotificationsSettings:
    """The settings of a running notifications as what they are."""
    if not isinstance(settings, NotificationsSettings):
        raise TypeError("notifications was started with another service's settings")
    return settings
