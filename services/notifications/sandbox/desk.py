"""All that the sandbox's routes need, in one place."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated

from fastapi import Depends, Request

from services.notifications.sandbox.accounts import NotifyAccount, TwilioAccount
from services.notifications.sandbox.courier import Courier
from services.notifications.sandbox.door import Door
from services.notifications.sandbox.journal import Accepted, Provider, Replied
from services.notifications.sandbox.phones import Phones, Reply
from services.notifications.sandbox.sids import message_id
from shared.clock import Clock


@dataclass(frozen=True, slots=True)
class Desk:
    """The sandbox at work. `clock` may pretend; `real` does not, since tokens are made by the real time."""

    url: str
    notify: NotifyAccount
    twilio: TwilioAccount
    phones: Phones
    doors: Mapping[Provider, Door]
    courier: Courier
    clock: Clock
    real: Clock

    def now(self, provider: Provider) -> datetime:
        """What the provider's clock shows."""
        return self.clock.now() + self._skew(provider)

    def real_now(self, provider: Provider) -> datetime:
        """What it shows where nobody pretends."""
        return self.real.now() + self._skew(provider)

    def accepted_today(self, provider: Provider) -> int:
        """How many messages it took on this day in UTC."""
        return self.phones.accepted_on[provider, self.now(provider).date()]

    def accept(self, accepted: Accepted) -> None:
        """Take a message: kept first, then on its way."""
        self.phones.record(accepted)
        if not accepted.dropped:
            self.courier.deliver(self.phones.messages[accepted.id])

    def write_back(self, phone: str, text: str, provider: Provider) -> Reply:
        """A patient writes to this provider's number; the text is kept, and still has to be brought."""
        replied = Replied(message_id(provider), phone, text, self.now(provider), provider)
        self.phones.record(replied)
        return self.phones.replies[replied.id]

    def _skew(self, provider: Provider) -> timedelta:
        return timedelta(seconds=self.doors[provider].panel.knobs.skew_s)


async def desk(request: Request) -> Desk:
    """The desk this request has come to. (A dependency that is not async would run in another thread.)"""
    found: Desk = request.app.state.desk
    return found


DeskDep = Annotated[Desk, Depends(desk)]
