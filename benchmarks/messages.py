"""How fast messages go out: to a provider without a limit, and to one with Notify's limit on a compressed clock."""

import asyncio
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.figures import table
from benchmarks.messages_stand import KINDS, Sending, sending
from benchmarks.report import Report
from services.notifications.lanes import MOST
from shared.events.notifications import MessageKind

COMPRESSED = 5
"""So many times faster than the real one runs the clock of the limit, and the sender with it."""
PER_MINUTE, RATE = 3_000, 45.0
"""Notify's limit, and our pace below it."""
FASTEST = {"NOTIFICATIONS_RATE": "100000", "NOTIFICATIONS_DAILY_LIMIT": "0"}
LIMITED = {"NOTIFICATIONS_RATE": str(RATE * COMPRESSED), "NOTIFICATIONS_DAILY_LIMIT": "0"}

AT_WORK = 128
"""At most so many are on their way at once (`NOTIFICATIONS_CONCURRENCY`)."""
LOOK_EVERY = 0.2


@dataclass(frozen=True, slots=True)
class Sent:
    """One run. Times are in seconds; `median` is from the claim to the recorded acceptance."""

    messages: int
    seconds: float
    median: float
    slowest: float
    faults: Sequence[str]

    @property
    def rate(self) -> float:
        return self.messages / self.seconds


async def measure(home: Path, messages: int, report: Report) -> Mapping[str, Sent]:
    """Both runs, one after the other."""
    report.says(f"Sending {messages:,} messages to a provider without a limit …")
    fastest = await _run(home / "fastest", messages, FASTEST, {})
    report.says(f"{fastest.rate:,.0f} a second. The same to one with Notify's limit, {COMPRESSED} times as fast …")
    limited = await _run(home / "limited", messages, LIMITED, {"per_minute": PER_MINUTE, "speed": COMPRESSED})
    return {"no limit": fastest, f"Notify's limit, {COMPRESSED} times as fast": limited}


async def _run(home: Path, messages: int, notifications: Mapping[str, str], knobs: Mapping[str, float]) -> Sent:
    try:
        async with sending(home, messages, notifications, knobs) as here:
            while await here.database.fetchval(_UNSENT):  # noqa: ASYNC110 (it is another process that sends)
                await asyncio.sleep(LOOK_EVERY)
            found = await here.database.fetchrow(_FIGURES)
            assert found is not None
            return Sent(messages, found["seconds"], found["median"], found["slowest"], await _faults(here, messages))
    finally:
        await asyncio.to_thread(shutil.rmtree, home, ignore_errors=True)


async def _faults(here: Sending, messages: int) -> list[str]:
    figures, faults = await here.figures(), []
    if figures["accepted"] != messages or figures["duplicated"]:
        faults.append(f"of {messages:,} messages {figures['accepted']:,} arrived, {figures['duplicated']:,} twice")
    for row in await here.database.fetch(_FAILED):
        faults.append(f"{row['messages']:,} failed ({row['kind']}): {row['detail']}")
    if figures["limited"]:
        faults.append(f"{figures['limited']:,} were answered 429")
    lanes = [row["lane"] for row in await here.database.fetch(_LANES)]
    if too_far := _overtaken(lanes):
        faults.append(f"a message was overtaken by {too_far:,} of a later lane")
    return faults


def _overtaken(lanes: Sequence[int]) -> int:
    """By how many of a later lane a message was overtaken at the most, beyond those on their way at the same time."""
    last = {lane: number for number, lane in enumerate(lanes)}
    first = {lane: len(lanes) - 1 - number for number, lane in enumerate(reversed(lanes))}
    worst = max((last[lane] - first[later] for lane in last for later in first if later > lane), default=0)
    return worst if worst > MOST + AT_WORK else 0


_UNSENT = "SELECT EXISTS (SELECT FROM messages WHERE state IN ('planned', 'attempted', 'unknown'))"
_FIGURES = """
    SELECT
        extract(epoch FROM max(accepted_at) - min(attempted_at))::float AS seconds,
        (percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM accepted_at - attempted_at)))::float AS median,
        max(extract(epoch FROM accepted_at - attempted_at))::float AS slowest
    FROM messages
"""
_FAILED = "SELECT kind, detail, count(*) AS messages FROM messages WHERE state = 'failed' GROUP BY 1, 2"
_LANES = "SELECT lane FROM messages ORDER BY attempted_at, lane"


def tell(found: Mapping[str, Sent], report: Report) -> None:
    """The figures, for people."""
    rows = [
        (name, f"{sent.seconds:,.1f}", f"{sent.rate:,.0f}", f"{sent.median * 1000:,.0f}", f"{sent.slowest * 1000:,.0f}")
        for name, sent in found.items()
    ]
    report.writes(table(("messages", "seconds", "a second", "median ms", "slowest ms"), rows))
    (_, limited) = found.values()
    kinds = sorted(set[MessageKind](KINDS))
    report.writes(
        f"{limited.messages:,} messages ({', '.join(kinds)}). Notify's limit is {PER_MINUTE:,} a minute after a burst "
        f"of 1,000; on a clock {COMPRESSED} times as fast we sent {limited.rate:,.0f} a second, that is "
        f"{limited.rate / COMPRESSED:,.1f} on the real one. From the claim, in both copies of the log, to the recorded "
        f"acceptance."
    )
    for fault in (fault for sent in found.values() for fault in sent.faults):
        report.writes(f"WRONG: {fault}")
