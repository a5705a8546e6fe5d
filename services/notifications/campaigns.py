"""How the texts about an outage stand: how far they have come, through whom, at what cost, and what was answered."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.notifications.preview import Pence
from services.notifications.segments import cost
from services.notifications.tables import calls, messages, replies
from services.notifications.views import SendingState
from shared.events.notifications import Answer, Failure, MessageKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """How messages stand. Those planned are all; the rest is how far they have come.

    `waiting` are still to be sent; `silent` were sent, and nothing more was heard; `outdated` are among those that
    failed: there was nothing left to tell. `cost_pence` is without VAT, for what the providers charge.
    """

    planned: int = 0
    attempted: int = 0
    accepted: int = 0
    delivered: int = 0
    failed: int = 0
    outdated: int = 0
    unknown: int = 0
    silent: int = 0
    waiting: int = 0
    segments: int = 0
    cost_pence: Pence = Decimal(0)
    replies: Mapping[Answer, int]


@dataclass(frozen=True, slots=True)
class AtProvider:
    """What became of the messages that this provider had last."""

    accepted: int
    delivered: int
    failed: int
    silent: int
    unknown: int


@dataclass(frozen=True, slots=True)
class Failures:
    """How many messages failed for the same reason."""

    failure: Failure
    reason: str
    messages: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Campaign(Figures):
    """How the notices of an outage's moves stand, and who is telephoned instead.

    The confirmations and reminders that followed are counted in `by_kind` alone, the notices there as `moved`.
    """

    outage: str
    calls: int
    by_kind: Mapping[MessageKind, Figures]
    by_provider: Mapping[str, AtProvider]
    failures: Sequence[Failures]


async def read_campaign(connection: AsyncConnection, outage: str, price: Decimal = Decimal(0)) -> Campaign:
    """Counted from the rows at this moment; a segment costs `price` pence."""
    by_kind = await _by_kind(connection, outage, price)
    notices = messages.c.outage == outage, messages.c.kind == "moved"
    providers = await connection.execute(_BY_PROVIDER.where(*notices))
    failures = await connection.execute(_FAILURES.where(*notices))
    return Campaign(
        outage=outage,
        calls=await connection.scalar(select(func.count()).where(calls.c.outage == outage)) or 0,
        by_kind=by_kind,
        by_provider={row.provider: AtProvider(*row[1:]) for row in providers},
        failures=[Failures(*row) for row in failures],
        **_facts(by_kind.get("moved") or Figures(replies={})),
    )


def _facts(figures: Figures) -> dict[str, Any]:
    return asdict(figures)


async def _by_kind(connection: AsyncConnection, outage: str, price: Decimal) -> dict[MessageKind, Figures]:
    answers: dict[str, dict[Answer, int]] = {}
    for kind, answer, taken in await connection.execute(_ANSWERS.where(replies.c.outage == outage)):
        answers.setdefault(kind, {})[answer] = taken
    counted = (await connection.execute(_BY_KIND.where(messages.c.outage == outage))).mappings()
    return {
        row["kind"]: Figures(
            **{name: number for name, number in row.items() if name not in ("kind", "charged")},
            cost_pence=cost(row["charged"], price),
            replies=answers.get(row["kind"], {}),
        )
        for row in counted
    }


_TAKEN = messages.c.accepted_at.is_not(None)


def _in_state(state: SendingState) -> ColumnElement[int]:
    """How many are there."""
    return func.count().filter(messages.c.state == state)


def _counted() -> Any:
    """What a provider could not even try, it does not charge."""
    charged = func.sum(messages.c.segments).filter(_TAKEN, messages.c.failure != "technical")
    return (
        select(
            messages.c.kind,
            func.count().label("planned"),
            func.count().filter(messages.c.attempt > 0).label("attempted"),
            func.count().filter(_TAKEN).label("accepted"),
            func.count().filter(messages.c.failure == "outdated").label("outdated"),
            _in_state("planned").label("waiting"),
            _in_state("delivered").label("delivered"),
            _in_state("failed").label("failed"),
            _in_state("unknown").label("unknown"),
            _in_state("silent").label("silent"),
            func.sum(messages.c.segments).label("segments"),
            func.coalesce(charged, 0).label("charged"),
        )
        .group_by(messages.c.kind)
        .order_by(messages.c.kind)
    )


_BY_KIND = _counted()
_BY_PROVIDER = (
    select(
        messages.c.provider,
        func.count().filter(_TAKEN),
        _in_state("delivered"),
        _in_state("failed"),
        _in_state("silent"),
        _in_state("unknown"),
    )
    .where(messages.c.provider != "")
    .group_by(messages.c.provider)
    .order_by(messages.c.provider)
)
_FAILURES = (
    select(messages.c.failure, messages.c.detail, func.count())
    .where(messages.c.state == "failed")
    .group_by(messages.c.failure, messages.c.detail)
    .order_by(func.count().desc(), messages.c.failure, messages.c.detail)
)
_ANSWERS = (
    select(messages.c.kind, replies.c.answer, func.count())
    .join(messages, messages.c.id == replies.c.message)
    .group_by(messages.c.kind, replies.c.answer)
)
