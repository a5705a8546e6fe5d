"""GOV.UK Notify's callbacks: JSON, with a bearer token of the receiver's choosing, and no signature."""

from collections.abc import Sequence
from datetime import datetime

import msgspec
from msgspec import Struct

from services.notifications.sandbox.accounts import NotifyAccount
from services.notifications.sandbox.callbacks import Callback, end_of
from services.notifications.sandbox.phones import Message, Reply


class Receipt(Struct, frozen=True):
    """Notify's delivery receipt."""

    id: str
    reference: str | None
    to: str
    status: str
    created_at: datetime
    completed_at: datetime
    sent_at: datetime
    template_id: str
    notification_type: str = "sms"
    template_version: int = 1


class ReceivedText(Struct, frozen=True):
    """Notify's received text."""

    id: str
    source_number: str
    destination_number: str
    message: str
    date_received: datetime


class NotifyCallbacks:
    """To `/v1/receipts` and `/v1/inbound` of the service."""

    def __init__(self, account: NotifyAccount) -> None:
        self._account = account
        self._headers = {
            "Authorization": f"Bearer {account.callback_token}",
            "Content-Type": "application/json",
        }

    def receipts(self, message: Message) -> Sequence[Callback]:
        """One: Notify tells of the end alone."""
        return [self._receipt(message, end_of(message).status)]

    def reordered(self, message: Message) -> Sequence[Callback]:
        """The end, and then that it is pending. The Notify of today never says so; a relay before it might."""
        return [*self.receipts(message), self._receipt(message, "pending")]

    def inbound(self, reply: Reply, id: str) -> Callback:
        replied = reply.replied
        text = ReceivedText(id, replied.phone.removeprefix("+"), self._account.number, replied.text, replied.at)
        return self._post("/v1/inbound", text)

    def _receipt(self, message: Message, status: str) -> Callback:
        accepted = message.accepted
        receipt = Receipt(
            id=accepted.id,
            reference=accepted.reference or None,
            to=accepted.phone,
            status=status,
            created_at=accepted.at,
            completed_at=end_of(message).at,
            sent_at=accepted.at,
            template_id=accepted.template,
        )
        return self._post("/v1/receipts", receipt)

    def _post(self, path: str, body: Struct) -> Callback:
        return Callback(f"{self._account.calls_back}{path}", msgspec.json.encode(body), self._headers)
