"""What can be asked of the ledger of messages."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from shared.events.notifications import Answer, MessageKind

ReceiptStatus = Literal["delivered", "permanent", "temporary", "technical"]


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom and what a message is about: what every event that leaves its stream has to name."""

    practice: str
    patient: str
    appointment: str
    move: str
    outage: str


@dataclass(frozen=True, slots=True)
class PlanMessage:
    """Tell this patient of this change, unless the number wants no texts."""

    message: str
    about: Subject
    kind: MessageKind
    number: str
    sealed: str
    segments: int
    appointment_start: datetime


@dataclass(frozen=True, slots=True)
class RaiseCall:
    """No text can tell this patient; a person has to telephone."""

    message: str
    about: Subject
    reason: str


@dataclass(frozen=True, slots=True)
class AttemptSend:
    """Claim this attempt: whoever gets the event back, and nobody else, may call the gateway.

    An attempt after the first claims, too, that the provider was asked and surely has none of those before.
    """

    message: str
    number: str
    attempt: int
    provider: str


@dataclass(frozen=True, slots=True)
class RecordAccepted:
    """The provider has it."""

    message: str
    attempt: int
    provider_id: str


@dataclass(frozen=True, slots=True)
class RecordUnknown:
    """The answer to this attempt was lost."""

    message: str
    attempt: int


@dataclass(frozen=True, slots=True)
class RecordRefused:
    """It was certainly not sent and will not be, and why. Attempt 0: it was not even tried.

    `outdated`: there is nothing left to tell, so nobody need telephone instead.
    """

    message: str
    attempt: int
    reason: str
    outdated: bool = False


@dataclass(frozen=True, slots=True)
class RecordReceipt:
    """The provider says what became of an attempt. May come twice, late, or before its own acceptance."""

    message: str
    attempt: int
    provider_id: str
    status: ReceiptStatus


@dataclass(frozen=True, slots=True)
class RecordReply:
    """The patient answered this one message."""

    message: str
    reply: str
    answer: Answer
    sealed: str


@dataclass(frozen=True, slots=True)
class RecordUnmatchedReply:
    """A text came in that no one open message explains."""

    number: str
    reply: str
    candidates: tuple[str, ...]
    sealed: str


@dataclass(frozen=True, slots=True)
class SuppressNumber:
    """No more texts to this number; for each message still open there, a person telephones instead."""

    number: str
    reason: str
    open_messages: tuple[str, ...]


Command = (
    PlanMessage
    | RaiseCall
    | AttemptSend
    | RecordAccepted
    | RecordUnknown
    | RecordRefused
    | RecordReceipt
    | RecordReply
    | RecordUnmatchedReply
    | SuppressNumber
)
