"""The points of the send path between two of which a process can die. At each the ledger must tell enough."""

from collections.abc import Callable
from enum import Enum


class Point(Enum):
    """What has just been done, or is about to be."""

    READ = "a message was read from the tables"
    CLAIMING = "its attempt is about to be claimed"
    CLAIMED = "the attempt is committed"
    CALLING = "it stands in both copies of the log, and the provider is about to be called"
    ANSWERED = "the provider has answered"
    ACCEPTED = "its acceptance is recorded"
    DEFERRED = "it is recorded that it was certainly not sent"
    REFUSED = "its refusal is recorded"
    SUPPRESSED = "its refusal is recorded, and that the number wants no more"
    WITHDRAWN = "it is recorded that there is nothing left to tell"
    LOST = "it is recorded that the answer was lost"
    LOOKING = "the provider is about to be asked whether it has it"
    LOOKED = "the provider has said whether it has it"
    ADOPTED = "it is recorded that the provider has it"
    ABSENT = "the provider surely does not have it, and it is about to be tried again"
    PARKED = "it is left to a person"
    ASKED = "the provider was asked about a message that nothing was heard of"
    HEARD = "what the provider said of it is recorded"
    SILENT = "it is recorded that nothing was heard"


Passing = Callable[[Point], None]
"""What is told of each point as it is passed."""


def onwards(point: Point) -> None:
    """Nothing happens there."""
