"""Wherever the sender is killed, or its provider in the middle of an answer, every patient is told once."""

import asyncio
import signal
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import httpx

from services.notifications.app import BLUEPRINT, Settings
from services.notifications.points import Point
from services.notifications.sandbox.journal import Journal, Replied
from services.operator.waiting import wait_for_http
from shared.events.notifications import (
    MessageAccepted,
    MessageDelivered,
    MessageFailed,
    MessageSilent,
    NumberSuppressed,
    OutcomeUnknown,
    SendAttempted,
    SendDeferred,
)
from tests.harness import County
from tests.notifications.diary import NOW
from tests.notifications.failing import Deadly, end, started, started_sandbox
from tests.notifications.outgoing import TOMORROW, outgoing
from tests.notifications.sandbox import ACCOUNT, AUTH_TOKEN, NOWHERE, SENDER, Sandbox, sandbox_at
from tests.notifications.town import QUICK, sender, until_all
from tests.serving import HOST, free_port
from tests.waiting import DEADLINE

STOPPED = "+447700900901"


@dataclass(frozen=True, slots=True)
class Death:
    """Where to die, and what makes the sender come there: knobs of the sandbox, and settings."""

    at: Deadly
    knobs: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)


LATER = {"now": NOW + timedelta(hours=5)}

DEATHS: Sequence[Death] = [
    # The first two messages are of an appointment that was cancelled, and to somebody who has opted out.
    Death(Point.WITHDRAWN, settings={"concurrency": 1}),
    Death(NumberSuppressed, settings={"first": "twilio"}),
    Death(Point.SUPPRESSED, settings={"first": "twilio"}),
    Death(Point.READ),
    Death(Point.CLAIMING),
    Death(SendAttempted),
    Death(Point.CLAIMED),
    Death(Point.CALLING),
    Death(Point.ABSENT),
    Death(Point.ANSWERED),
    Death(MessageAccepted),
    Death(Point.LOOKING),
    Death(Point.LOOKED),
    Death(Point.ADOPTED),
    # Of what is taken from here on nothing is ever heard.
    Death(Point.ACCEPTED, {"drop": -1}),
    Death(SendDeferred, {"limit": 1}),
    Death(Point.DEFERRED, {"limit": 1}),
    Death(OutcomeUnknown, {"fail_after": 1}),
    Death(Point.LOST, {"fail_after": 1}),
    Death(Point.LOST, {"fail": 1}),
    Death(Point.PARKED, {"fail": 1}, {"attempts": 1}),
    Death(MessageFailed, {"refuse": 1}),
    Death(Point.REFUSED, {"refuse": 1}),
    Death(Point.ASKED, settings=LATER),
    Death(MessageDelivered, settings=LATER),
    Death(Point.HEARD, settings=LATER),
    Death(MessageSilent, settings=LATER),
    Death(Point.SILENT, settings=LATER),
]
EACH = 4
"""Messages for each death: while one is looked up, others go on."""
SLOWLY = {"concurrency": 2, "rate": 10, "twilio_rate": 10}


def test_the_sender_is_killed_at_every_point_there_is() -> None:
    assert {death.at for death in DEATHS if isinstance(death.at, Point)} == set(Point)


async def test_wherever_the_sender_is_killed_each_patient_is_told_once(county: County, tmp_path: Path) -> None:
    opt_out(tmp_path, STOPPED)
    count = 2 + EACH * len(DEATHS)
    async with sandbox_at(tmp_path, callback_url=NOWHERE) as sandbox:
        twilio = {"twilio_url": sandbox.url, "twilio_account": ACCOUNT, "twilio_token": AUTH_TOKEN}
        given: dict[str, Any] = {**twilio, "gateway_url": sandbox.url, "twilio_sender": SENDER}
        async with outgoing(county, **given) as here:
            await here.plan("moved", start=TOMORROW - timedelta(minutes=2))
            await here.diary.cancel(here.booked[0])
            await here.plan("moved", mobile=STOPPED, start=TOMORROW - timedelta(minutes=1))
            await here.plan("moved", each=count - 2)
        for death in DEATHS:
            await die(county, sandbox, death, {**QUICK, **given, **SLOWLY})
        await sandbox.turn(limit=0, fail=0, fail_after=0, refuse=0)
        async with outgoing(county, **given) as here, sender(here.running):
            await until_all(here.running, count, "accepted", "delivered", "silent", "failed")
            rows = (await here.rows()).values()
        messages = await sandbox.messages()

    assert max(Counter(message["phone"] for message in messages).values()) == 1
    failures = Counter(row["failure"] for row in rows if row["state"] == "failed")
    assert failures == {"outdated": 1, "refused": 2}
    told = {row["reference"] for row in rows if row["state"] != "failed"}
    assert len(told) == count - 3
    assert told == {message["reference"] for message in messages}


def opt_out(directory: Path, mobile: str) -> None:
    """Whoever has this telephone has told Twilio to stop."""
    journal = Journal(directory / "journal.jsonl")
    journal.write(Replied("SM1", mobile, "STOP", NOW, "twilio"))
    journal.close()


async def die(county: County, sandbox: Sandbox, death: Death, given: Mapping[str, Any]) -> None:
    if death.knobs:
        await sandbox.turn(**death.knobs)
    process = started(await county.settings(BLUEPRINT, Settings, **{**given, **death.settings}), death.at)
    try:
        await asyncio.to_thread(process.join, DEADLINE)
        assert process.exitcode == -signal.SIGKILL, f"it never came to {death.at}"
    finally:
        end(process)


async def test_the_provider_is_killed_in_mid_answer_and_each_patient_is_told_once(
    county: County, tmp_path: Path
) -> None:
    port = free_port()
    async with outgoing(county, gateway_url=f"http://{HOST}:{port}", concurrency=3, rate=50) as here:
        await here.plan("moved", each=12)
        async with sender(here.running):
            for knob in ("die", "die_half"):
                async with mortal_sandbox(tmp_path, port) as (process, sandbox):
                    await sandbox.turn("notify", **{knob: 1})
                    await asyncio.to_thread(process.join, DEADLINE)
                    assert process.exitcode == -signal.SIGKILL
            async with mortal_sandbox(tmp_path, port) as (_, sandbox):
                await until_all(here.running, 12, "accepted", "delivered")
                messages = await sandbox.messages()
    assert sorted(message["phone"] for message in messages) == [f"+447700900{number}" for number in range(301, 313)]


@asynccontextmanager
async def mortal_sandbox(directory: Path, port: int) -> AsyncIterator[tuple[BaseProcess, Sandbox]]:
    """The sandbox as a process of its own."""
    url = f"http://{HOST}:{port}"
    process = started_sandbox(directory, port)
    try:
        async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=DEADLINE) as client:
            await wait_for_http(f"{url}/livez", within=DEADLINE)
            yield process, Sandbox(url, client)
    finally:
        end(process)
