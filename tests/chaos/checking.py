"""All that must hold after a run, over the log and what clients saw."""

from collections.abc import Callable, Iterator

from tests.chaos.commands_kept import acknowledged_once, nothing_unasked, one_order
from tests.chaos.diary_kept import moves_answered_once, no_slot_twice
from tests.chaos.evidence import Evidence, Violation
from tests.chaos.log_whole import caused, gapless
from tests.chaos.messages_once import planned_once, replies_taken_in_once, sent_once, settled
from tests.chaos.reads_true import as_recorded, monotone

RULES: tuple[Callable[[Evidence], Iterator[Violation]], ...] = (
    gapless,
    caused,
    no_slot_twice,
    moves_answered_once,
    acknowledged_once,
    nothing_unasked,
    one_order,
    as_recorded,
    monotone,
    planned_once,
    sent_once,
    settled,
    replies_taken_in_once,
)
"""The first that is broken is told first, so what others follow from comes before them."""


def violations(evidence: Evidence) -> list[Violation]:
    """Every promise that was broken; none if all is well."""
    return [violation for rule in RULES for violation in rule(evidence)]
