"""Stores what was found out about lost appointments, and says what is left."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from services.rebooking import views
from services.rebooking.outages import nothing_to_reconcile
from services.rebooking.reconciliation import Found, all_at_once, piece_by_piece
from shared.execute import Order
from shared.service import Running


@dataclass(frozen=True, slots=True)
class Reconciled:
    """How many appointments were reconciled just now, by outcome, and of how many nothing is known yet."""

    recorded: int
    outcomes: dict[str, int]
    unaccounted: int


def reconcilable(outage: views.Outage) -> views.Outage:
    """The outage. Raises `Conflict` if it is a withdrawal."""
    if outage.kind == "withdrawal":
        raise nothing_to_reconcile()
    return outage


async def record(
    service: Running, outage: str, typed: Sequence[Found], ruled: Sequence[Found], typed_by: str
) -> Counter[str]:
    """What was typed is stored whole or not at all; the rule speaks only where nobody has, and is never refused."""
    outcomes: Counter[str] = Counter()
    for together in (all_at_once(outage, typed, typed_by), *piece_by_piece(outage, ruled, typed_by)):
        orders = [Order(dated.command, occurred_at=dated.at) for dated in together]
        recorded = await service.executor.execute_together(orders) if orders else ()
        outcomes.update(each.event.outcome for each in recorded)
    return outcomes


async def reconciled(service: Running, outage: views.Outage, outcomes: Counter[str], practice: str) -> Reconciled:
    async with service.engine.connect() as connection:
        left = await views.unaccounted(connection, outage, service.clock.now(), practice)
    return Reconciled(outcomes.total(), dict(outcomes), left)
