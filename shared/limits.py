"""How often each client may ask: a bucket of tokens per client, in memory, and the time to wait when it is empty."""

from collections import OrderedDict
from math import ceil

CLIENTS_REMEMBERED = 4096


class Limits:
    """Lets each client send `burst` requests at once, and `per_second` in the long run.

    Each process counts for itself. Whoever has been idle longest is forgotten first, and so begins with a full bucket,
    which by then it mostly would have had.
    """

    def __init__(self, *, per_second: float, burst: int, clients: int = CLIENTS_REMEMBERED) -> None:
        self._per_second = per_second
        self._burst = burst
        self._clients = clients
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait(self, client: str, now: float) -> int:
        """0, and the request is counted; or the whole seconds until the next one is let in, and this one is not.

        `now` is in seconds of a clock that never goes back.
        """
        seen_at, left = self._buckets.get(client, (now, float(self._burst)))
        left = min(self._burst, left + (now - seen_at) * self._per_second)
        wait = 0
        if left >= 1:
            left -= 1
        else:
            wait = max(1, ceil((1 - left) / self._per_second))
        self._buckets[client] = (now, left)
        self._buckets.move_to_end(client)
        if len(self._buckets) > self._clients:
            self._buckets.popitem(last=False)
        return wait

    def __len__(self) -> int:
        """How many clients are remembered."""
        return len(self._buckets)
