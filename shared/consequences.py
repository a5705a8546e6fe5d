"""How many events each kind of event leads to, as far as a follower has seen.

One move confirmed leads to one message, one plan approved to hundreds of moves. Whoever knows can put as much into a
transaction as it takes to be fast, and no more: nothing else can be appended meanwhile, and nobody hears of it before.
"""

from collections import Counter
from collections.abc import Sequence

from shared.events.envelope import Recorded

UNKNOWN = 50.0
"""For a kind that has not been seen yet."""


class Consequences:
    """What is expected of a kind of event is what came of those in the last transaction."""

    def __init__(self) -> None:
        self._seen: dict[str, float] = {}

    def expected(self, kind: str) -> float:
        """How many events one of this type will lead to."""
        return self._seen.get(kind, UNKNOWN)

    def learn(self, causes: Sequence[Recorded], recorded: Sequence[Recorded]) -> None:
        """These causes have led to these events."""
        kinds = {cause.id: cause.type for cause in causes}
        led_to = Counter(kinds[each.causation_id] for each in recorded)
        for kind, number in Counter(kinds.values()).items():
            self._seen[kind] = led_to[kind] / number
