"""How far a message has come, in the words of its provider."""

from services.notifications.sandbox.numbers import fate
from services.notifications.sandbox.phones import Message
from services.notifications.sandbox.twilio_words import state_of


def status_of(message: Message) -> str:
    match message.accepted.provider:
        case "notify":
            return notify_status(message)
        case "twilio":
            return state_of(message).status


def notify_status(message: Message) -> str:
    """Notify says `pending` of what it may yet deliver; here that is what will fail for the time being."""
    if message.settled:
        return message.settled.status
    return "pending" if fate(message.accepted.phone) == "temporary-failure" else "sending"
