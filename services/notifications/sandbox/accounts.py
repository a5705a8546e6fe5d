"""The one account that the sandbox has with each provider: its secrets, its number, and where it is called back."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class NotifyAccount:
    """`number` is what the patients see as sender, and answer to."""

    service: str
    secret: str
    callback_token: str
    calls_back: str
    template: str
    number: str = "447700900999"


@dataclass(frozen=True, slots=True)
class TwilioAccount:
    """`sid` begins with AC; `messaging_service`, with MG, sends by `number`."""

    sid: str
    token: str
    calls_back: str
    number: str
    messaging_service: str
