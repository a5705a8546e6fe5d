"""All that the sandbox's routes need, in one place."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from services.notifications.sandbox.courier import Courier
from services.notifications.sandbox.journal import Accepted, Replied
from services.notifications.sandbox.knobs import Panel
from services.notifications.sandbox.phones import Message, Phones, Reply
from shared.clock import Clock
from shared.ids import new_id


@dataclass(frozen=True, slots=True)
class Desk:
    """The sandbox at work. `clock` may pretend; `real` does not, since tokens are made by the real time."""

    url: str
    service: str
    secret: str
    phones: Phones
    panel: Panel
    courier: Courier
    clock: Clock
    real: Clock

    def accept(self, phone: str, body: str, reference: str, template: str) -> Message:
        """Take a message: kept first, then on its way."""
        accepted = Accepted(
            id=new_id(),
            reference=reference,
            phone=phone,
            body=body,
            template=template,
            at=self.clock.now(),
            dropped=self.panel.take("drop"),
        )
        self.phones.record(accepted)
        message = self.phones.messages[accepted.id]
        if not accepted.dropped:
            self.courier.deliver(message)
        return message

    def write_back(self, phone: str, text: str) -> Reply:
        """A patient writes; the text is kept, and still has to be brought."""
        replied = Replied(new_id(), phone, text, self.clock.now())
        self.phones.record(replied)
        return self.phones.replies[replied.id]


async def desk(request: Request) -> Desk:
    """The desk this request has come to. (A dependency that is not async would run in another thread.)"""
    found: Desk = request.app.state.desk
    return found


DeskDep = Annotated[Desk, Depends(desk)]
