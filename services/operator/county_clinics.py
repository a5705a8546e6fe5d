"""A practice's clinics: who sees patients from nine and from two, for how long, how, and whom each slot is kept for."""

from collections.abc import Iterator, Sequence
from random import Random
from typing import NamedTuple

from services.operator.county_people import FAMILY_NAMES, GIVEN_NAMES


class Share(NamedTuple):
    """What one practice does in a day: appointments (of which so many on the day), and slots kept for NHS 111.

    Of each later day's slots for booking ahead, at least the share `taken_ahead` is booked already.
    """

    appointments: int
    same_day: int
    nhs111: int
    taken_ahead: float = 0.0


class Opening(NamedTuple):
    """A slot of every working day, before it has a date. `columns` are the diary's from clinician to channel."""

    session: str
    columns: tuple[str, ...]
    clock: str
    minutes: str
    service_type: str
    reasons: Sequence[str]


class _Trade(NamedTuple):
    """A kind of clinician: how many of a hundred slots, how long each, what for, and which channels by weight."""

    role: str
    title: str
    share: float
    minutes: int
    service_type: str
    channels: tuple[tuple[str, float], ...]
    reasons: tuple[str, ...]


NHS_111 = "NHS 111"
SAME_DAY = "Same day"

_TRADES = (
    _Trade(
        "GP", "Dr", 51.0, 10, "GP consultation",
        (("in-person", 52.0), ("telephone", 45.5), ("home", 2.1), ("video", 0.4)),
        ("Back pain", "Results to discuss", "Follow-up after hospital", "Skin rash", "Low mood", "Headaches"),
    ),
    _Trade(
        "Nurse", "Nurse", 27.0, 15, "Nurse clinic",
        (("in-person", 82.0), ("telephone", 17.0), ("home", 1.0)),
        ("Asthma review", "Dressing change", "Diabetes review", "Cervical screening", "Travel vaccines"),
    ),
    _Trade(
        "HCA", "Ms", 14.0, 10, "Tests and checks",
        (("in-person", 100.0),),
        ("Blood test", "Blood pressure check", "Health check", "ECG"),
    ),
    _Trade(
        "Pharmacist", "Mr", 8.0, 15, "Medicines review",
        (("telephone", 80.0), ("in-person", 20.0)),
        ("Medicines review", "Repeat prescription query", "Blood pressure medicines"),
    ),
)  # fmt: skip
"""Of all slots together 51 % are a GP's, and by channel they come to 64.4 : 34 : 1.4 : 0.2, as in Kent and Medway."""

_HALF_DAYS = (("am", 9 * 60), ("pm", 14 * 60))
_HALF_DAY_MINUTES = 180


def clinics(share: Share, rng: Random) -> tuple[Opening, ...]:
    """The practice's working day, in sessions of three hours at the most. NHS 111's slots are with GPs."""
    names = iter(rng.sample([f"{given} {family}" for given in GIVEN_NAMES for family in FAMILY_NAMES], 700))
    by_trade = [list(_with(trade, _number(trade, share), names, rng)) for trade in _TRADES]
    gp = by_trade[0]
    for at in rng.sample(range(len(gp)), share.nhs111):
        gp[at] = _kept(gp[at], NHS_111)
    openings = [opening for trade in by_trade for opening in trade]
    ordinary = [at for at, opening in enumerate(openings) if opening.service_type != NHS_111]
    for at in rng.sample(ordinary, share.same_day):
        openings[at] = _kept(openings[at], SAME_DAY)
    return tuple(openings)


def _number(trade: _Trade, share: Share) -> int:
    """How many slots a day; GPs take what rounding leaves, and NHS 111's."""
    if trade.role != "GP":
        return round(share.appointments * trade.share / 100)
    others = sum(_number(other, share) for other in _TRADES if other.role != "GP")
    return share.appointments - others + share.nhs111


def _with(trade: _Trade, number: int, names: Iterator[str], rng: Random) -> Iterator[Opening]:
    """So many slots of this trade, clinician after clinician, each a morning and then an afternoon."""
    per_session = _HALF_DAY_MINUTES // trade.minutes
    channels = rng.choices([name for name, _ in trade.channels], [weight for _, weight in trade.channels], k=number)
    for at, channel in enumerate(channels):
        session, turn = divmod(at, per_session)
        if at % (2 * per_session) == 0:
            clinician = f"{trade.title} {next(names)}"
        half_day, begins = _HALF_DAYS[session % 2]
        minute = begins + turn * trade.minutes
        yield Opening(
            session=f"{trade.role.lower()}-{session // 2 + 1}-{half_day}",
            columns=(clinician, trade.role, f"Room {trade.role[0]}{session // 2 + 1}", trade.service_type, channel),
            clock=f"{minute // 60:02}:{minute % 60:02}",
            minutes=str(trade.minutes),
            service_type=trade.service_type,
            reasons=trade.reasons,
        )


def _kept(opening: Opening, service_type: str) -> Opening:
    columns = (*opening.columns[:3], service_type, *opening.columns[4:])
    return opening._replace(service_type=service_type, columns=columns)
