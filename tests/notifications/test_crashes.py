"""Wherever the sender dies, every patient is told once."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest

from services.notifications.gateways import Finding, Gateway, Lost, Outcome, open_gateway
from services.notifications.sending import Sender
from services.notifications.settings import own_settings
from services.notifications.wording import Text
from tests.harness import County
from tests.notifications.town import sender, silent_town, until_all

Point = Literal["claimed", "taken", "unanswered", "refused"]


class Died(Exception):
    """The process has stopped."""


@dataclass
class Dying:
    """A gateway whose process stops at a chosen point of the send path, at every message."""

    gateway: Gateway
    point: Point
    provider: str = "notify"

    async def send(self, text: Text, reference: str) -> Outcome:
        match self.point:
            case "claimed":
                raise Died
            case "taken":
                await self.gateway.send(text, reference)
                raise Died
            case "unanswered":
                await self.gateway.send(text, reference)
                return Lost()
            case "refused":
                return Lost()

    async def look_up(self, reference: str) -> Finding:
        raise Died


@pytest.mark.parametrize("point", ["claimed", "taken", "unanswered", "refused"])
async def test_wherever_the_sender_dies_each_patient_is_told_once(county: County, tmp_path: Path, point: Point) -> None:
    async with silent_town(county, tmp_path, concurrency=4) as (running, diary, sandbox):
        await diary.move(*range(1, 13))
        await county.caught_up()
        settings = own_settings(running.settings)
        async with open_gateway(settings) as gateway:
            for _ in range(2):
                with pytest.raises(ExceptionGroup) as stopped:
                    await Sender(running, settings, Dying(gateway, point)).work()
                assert stopped.group_contains(Died)
        async with sender(running):
            await until_all(running, 12, "accepted", "delivered")
        figures = await sandbox.figures()
        assert (figures["accepted"], figures["duplicated"]) == (12, 0)
