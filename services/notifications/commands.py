"""What can be asked of the ledger of messages."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from shared.events.notifications import Answer, MessageKind, Verdict

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
    """Tell this patient of this, unless the number wants no texts; of a move somebody then telephones instead."""

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
    """The provider of this attempt has it."""

    message: str
    attempt: int
    provider: str
    provider_id: str


@dataclass(frozen=True, slots=True)
class RecordDeferred:
    """This attempt was certainly not sent; another may be made."""

    message: str
    attempt: int
    reason: str


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
    provider: str
    provider_id: str
    status: ReceiptStatus


@dataclass(frozen=True, slots=True)
class RecordSilent:
    """The provider has not said for too long what became of this attempt, and does not say when asked."""

    message: str
    attempt: int


@dataclass(frozen=True, slots=True)
class SettleUnknown:
    """A person has found out at the provider whether the attempt whose outcome is unknown was sent."""

    message: str
    verdict: Verdict
    settled_by: str


@dataclass(frozen=True, slots=True)
class RecordReply:
    """The patient answered this one message. `number`, `words`, `read_by`: as in `ReplyReceived`."""

    message: str
    reply: str
    answer: Answer
    sealed: str
    number: str = ""
    words: str = ""
    read_by: str = ""


@dataclass(frozen=True, slots=True)
class RecordUnmatchedReply:
    """A text came in that no one open message explains."""

    number: str
    reply: str
    candidates: tuple[str, ...]
    sealed: str
    practices: tuple[str, ...] = ()
    words: str = ""


@dataclass(frozen=True, slots=True)
class ResolveReply:
    """A person has read this reply from this number, and done what there was to do."""

    number: str
    reply: str
    resolved_by: str


@dataclass(frozen=True, slots=True)
class SuppressNumber:
    """No more texts to this number; for each notice of a move still open there, a person telephones instead."""

    number: str
    reason: str
    open_messages: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SuppressPair:
    """No more texts about this patient to this number; for each of the patient's open notices, a person telephones."""

    number: str
    patient: str
    reason: str
    open_messages: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ReleaseNumber:
    """The owner of this number wants texts again. Who is not the patient does not become the patient by that."""

    number: str


Command = (
    PlanMessage
    | RaiseCall
    | AttemptSend
    | RecordAccepted
    | RecordDeferred
    | RecordUnknown
    | RecordRefused
    | RecordReceipt
    | RecordSilent
    | SettleUnknown
    | RecordReply
    | RecordUnmatchedReply
    | ResolveReply
    | SuppressNumber
    | SuppressPair
    | ReleaseNumber
)
