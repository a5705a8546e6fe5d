"""Who waits for another time, what is free, and within which time new appointments are looked for."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from msgspec import Struct

from services.rebooking.rules import Rules
from shared.events.booking import Channel
from shared.events.rebooking import Constraints

STANDING = ("booked", "arrived")
"""The states in which a patient still has the appointment."""

MOVABLE = (*STANDING, "displaced")
"""The states in which an appointment can give way to another: it stands, or its slots were withdrawn."""

UNCONSTRAINED = Constraints()
"""What holds of a patient of whom nothing has been noted."""


class WaitingPatient(Struct, frozen=True, gc=False):
    """A displaced appointment without a place, or with one that does not suit.

    What was lost says when, how and with whom: `start` to `clinician_role`. `session` and `status` are of the one that
    is to give way: of the lost one, or of `standing`, the new one instead of which the patient asked for another time.
    `declined` are the starts of the times that did not suit, in order.
    """

    appointment: str
    patient: str
    practice: str
    session: str
    start: datetime
    minutes: int
    priority: int
    status: str
    channel: Channel
    clinician: str
    clinician_role: str
    standing: str = ""
    declined: tuple[datetime, ...] = ()
    constraints: Constraints = UNCONSTRAINED
    textable: bool = False


class FreeSlot(Struct, frozen=True, gc=False):
    """A slot that nobody has and that the rules do not keep for others.

    `given` is how many slots of its practice and day the same recovery has given away already.
    """

    slot: str
    session: str
    practice: str
    start: datetime
    minutes: int
    channel: Channel
    clinician: str
    clinician_role: str
    given: int = 0


@dataclass(frozen=True, slots=True)
class Window:
    """As seen at `now`, new appointments start from `earliest` until before `latest`."""

    now: datetime
    earliest: datetime
    latest: datetime


def window(rules: Rules, now: datetime, lost: Iterable[datetime]) -> Window:
    """Within what the rules look for slots for appointments that were to start then.

    A session can be withdrawn long before its day, and nobody is given an earlier time: the horizon goes with it.
    """
    return Window(
        now=now,
        earliest=now + min(rules.notice(each) for each in rules.classes),
        latest=max([now, *lost]) + timedelta(days=rules.horizon_days),
    )
