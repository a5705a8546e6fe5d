"""What notifications publishes: the ledger of every message to a patient, and every answer.

Streams: `message/<id>` (one message, from plan to outcome, and the replies to it), `number/<pseudonym>` (what may be
sent to a telephone number).
"""

from typing import ClassVar, Literal

from shared.events.base import COUNTY, Event, Instant

MessageKind = Literal["moved", "reminder-3", "reminder-1", "kept", "asked", "cancelled"]
"""`moved`: the appointment has another time. `reminder-…`: so many days before it. The others confirm an answer: that
the appointment stands, that another time will be looked for, that it is cancelled."""

Answer = Literal["keep", "another-time", "cancel", "stop", "start", "wrong-number", "unclear"]
Failure = Literal["permanent", "temporary", "technical", "refused", "outdated"]
"""Why a message did not arrive. `outdated`: its appointment no longer stood when its turn came, so it was not sent, and
there is nothing left to tell; what took the appointment's place has a message of its own."""


Verdict = Literal["sent", "not-sent"]


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


class SendDeferred(MessageEvent, frozen=True):
    """This attempt was certainly not sent, and why; the message waits for another, maybe with another provider."""

    attempt: int
    provider: str
    reason: str


class OutcomeUnknown(MessageEvent, frozen=True):
    """The answer to an attempt was lost; it is looked up, and never sent again on a guess.

    `unknowns` is how many attempts at this message have come to that, this one included.
    """

    attempt: int
    provider: str
    reference: str
    unknowns: int = 1


class UnknownSettled(MessageEvent, frozen=True):
    """A person found out at the provider what became of an attempt whose outcome was unknown."""

    attempt: int
    provider: str
    verdict: Verdict
    settled_by: str


class MessageDelivered(MessageEvent, frozen=True):
    """The provider says the telephone received it."""

    provider_id: str


class MessageFailed(MessageEvent, frozen=True):
    """It certainly did not arrive, and why."""

    failure: Failure
    detail: str


class MessageSilent(MessageEvent, frozen=True):
    """The provider took it and has not said since what became of it, for so long that somebody should telephone."""

    attempt: int
    provider: str


class ReplyReceived(MessageEvent, frozen=True):
    """The patient answered this message. `sealed` is the whole text, sealed with the patient's key.

    `words` is the keyed pseudonym of number and text, by which the same text is known when it comes under another id.
    `read_by` is who said what it means, where a person had to.
    """

    reply: str
    patient: str
    appointment: str
    move: str
    outage: str
    answer: Answer
    sealed: str
    number: str = ""
    words: str = ""
    read_by: str = ""


class NumberSuppressed(NumberEvent, frozen=True):
    """No more texts to this number: its owner said STOP, or is not the patient."""

    reason: str


class PairSuppressed(NumberEvent, frozen=True):
    """No more texts about this patient to this number: whoever has it is somebody else."""

    patient: str
    reason: str


class NumberReleased(NumberEvent, frozen=True):
    """Its owner wants texts again."""


class ReplyUnmatched(NumberEvent, frozen=True):
    """A text came in that belongs to no one open message; a person reads it. `sealed` opens with the number's key.

    `candidates` are the messages it may answer, `practices` theirs. `words`: as in `ReplyReceived`.
    """

    reply: str
    candidates: tuple[str, ...]
    sealed: str
    practices: tuple[str, ...] = ()
    words: str = ""


class ReplyResolved(NumberEvent, frozen=True):
    """A person has read a text that the rules would not act on, and done what there was to do.

    What it answers, if anything, is an event of its own: `ReplyReceived` under the id `<reply>.read`.
    """

    reply: str
    resolved_by: str


class CallRaised(MessageEvent, frozen=True):
    """A text cannot do it: a person has to telephone, and why."""

    patient: str
    appointment: str
    outage: str
    reason: str


NotificationsEvent = (
    MessagePlanned
    | SendAttempted
    | SendDeferred
    | MessageAccepted
    | OutcomeUnknown
    | UnknownSettled
    | MessageDelivered
    | MessageFailed
    | MessageSilent
    | ReplyReceived
    | NumberSuppressed
    | PairSuppressed
    | NumberReleased
    | ReplyUnmatched
    | ReplyResolved
    | CallRaised
)
