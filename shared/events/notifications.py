"""What notifications publishes: the ledger of every message to a patient, and every answer.

Streams: `message/<id>` (one message, from plan to outcome, and the replies to it), `number/<pseudonym>` (what may be
sent to a telephone number).
"""

from typing import ClassVar, Literal

from shared.events.base import COUNTY, Event, Instant

MessageKind = Literal["moved"]
Answer = Literal["keep", "another-time", "cancel", "stop", "wrong-number", "unclear"]
Failure = Literal["permanent", "temporary", "technical", "refused", "outdated"]
"""Why a message did not arrive. `outdated`: its appointment no longer stood when its turn came, so it was not sent, and
there is nothing left to tell; what took the appointment's place has a message of its own."""


class MessageEvent(Event, frozen=True):
    """An event of `message/<id>`."""

    service: ClassVar[str] = "notifications"
    message: str
    practice: str

    @property
    def stream(self) -> str:
        return f"message/{self.message}"


class NumberEvent(Event, frozen=True):
    """An event of `number/<pseudonym>`."""

    service: ClassVar[str] = "notifications"
    number: str

    @property
    def stream(self) -> str:
        return f"number/{self.number}"

    @property
    def at_practice(self) -> str:
        return COUNTY


class MessagePlanned(MessageEvent, frozen=True):
    """This patient is to be told of this change, once.

    `sealed` opens with the patient's key (`services.notifications.wording.Text`: to whom, what). `number` is the keyed
    pseudonym of the telephone number, so that a reply can be matched without storing it in the clear.
    """

    kind: MessageKind
    patient: str
    appointment: str
    move: str
    outage: str
    number: str
    sealed: str
    segments: int
    appointment_start: Instant


class SendAttempted(MessageEvent, frozen=True):
    """Recorded before the gateway is called; `reference` is derived from the message and the attempt."""

    attempt: int
    provider: str
    reference: str


class MessageAccepted(MessageEvent, frozen=True):
    """The provider has it, under its own id."""

    attempt: int
    provider: str
    reference: str
    provider_id: str


class OutcomeUnknown(MessageEvent, frozen=True):
    """The answer to an attempt was lost; it is looked up, and never sent again on a guess."""

    attempt: int
    provider: str
    reference: str


class MessageDelivered(MessageEvent, frozen=True):
    """The provider says the telephone received it."""

    provider_id: str


class MessageFailed(MessageEvent, frozen=True):
    """It certainly did not arrive, and why."""

    failure: Failure
    detail: str


class ReplyReceived(MessageEvent, frozen=True):
    """The patient answered this message. `sealed` is the whole text, sealed with the patient's key."""

    reply: str
    patient: str
    appointment: str
    move: str
    outage: str
    answer: Answer
    sealed: str


class NumberSuppressed(NumberEvent, frozen=True):
    """No more texts to this number: its owner said STOP, or is not the patient."""

    reason: str


class ReplyUnmatched(NumberEvent, frozen=True):
    """A text came in that belongs to no one open message; a person reads it. `sealed` opens with the number's key."""

    reply: str
    candidates: tuple[str, ...]
    sealed: str


class CallRaised(MessageEvent, frozen=True):
    """A text cannot do it: a person has to telephone, and why."""

    patient: str
    appointment: str
    outage: str
    reason: str


NotificationsEvent = (
    MessagePlanned
    | SendAttempted
    | MessageAccepted
    | OutcomeUnknown
    | MessageDelivered
    | MessageFailed
    | ReplyReceived
    | NumberSuppressed
    | ReplyUnmatched
    | CallRaised
)
