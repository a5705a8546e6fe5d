"""Whether all has come to rest: both copies equal, everybody has followed, nothing waits, and nothing goes on."""

import asyncio
from collections.abc import Iterator, Mapping
from time import monotonic
from typing import Any

from services.operator.settings import SERVICES
from tests.chaos.asking import Client

LOOKED_EVERY, STILL_FOR = 0.25, 1.5
"""Seconds; the follow-up of rebooking looks once in a second whether there is anything for it to do."""


class NeverAtRest(Exception):
    """What still waited when the patience was over."""


async def at_rest(operator: Client, *, within: float) -> float:
    """Return when nothing has happened for a while; the seconds it took. Raises `NeverAtRest`."""
    began = monotonic()
    before: Mapping[str, Any] = {}
    still_since = began
    while True:
        statuses = {service: await operator.look(service, "/v1/status") for service in SERVICES}
        sending = await operator.look("notifications", "/v1/sending")
        waits = [*_waiting(statuses), *_unsent(sending)]
        now = monotonic()
        seen = {service: status and (status["position"], status["sequence"]) for service, status in statuses.items()}
        if waits or seen != before:
            still_since = now
        before = seen
        if now - still_since >= STILL_FOR:
            return now - began
        if now - began > within:
            raise NeverAtRest(f"not at rest {within:g} s after all was healed: {'; '.join(waits) or 'it goes on'}")
        await asyncio.sleep(LOOKED_EVERY)


def _waiting(statuses: Mapping[str, Any]) -> Iterator[str]:
    for service, status in statuses.items():
        if status is None:
            yield f"{service} does not answer"
            continue
        if status["halted"]:
            yield f"{service} has halted: {status['halted']}"
        if status["parked"]:
            yield f"{service} has parked {status['parked']} events"
        if status["relayed"] != status["position"]:
            yield f"{service} has {status['position']} events and the stream {status['relayed']}"
        for source, reached in status["followed"].items():
            of = statuses.get(source)
            if of and reached != of["position"]:
                yield f"{service} has followed {source} to {reached} of {of['position']}"


def _unsent(sending: Any) -> Iterator[str]:
    if sending is None:
        yield "notifications does not say what waits"
        return
    for lane in sending["lanes"]:
        if lane["waiting"]:
            yield f"{lane['waiting']} messages wait in the lane {lane['lane']}"
    if sending["unknown"] > sending["parked"]:
        yield f"{sending['unknown'] - sending['parked']} messages are still to be looked up"
