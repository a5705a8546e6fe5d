"""Everybody who works while the nemesis does, each with a token and a lot of their own."""

from collections.abc import Coroutine, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import islice
from random import Random
from typing import Any

from httpx import AsyncClient

from services.operator.bearer import OPERATOR_SCOPE
from services.operator.county_people import Person, people
from services.operator.issuing import Holder, issuer_of
from services.operator.tokens import practice_holder
from shared.access import scope_words
from shared.clock import Clock
from tests.chaos.asking import Client
from tests.chaos.county_desk import CountyDesk
from tests.chaos.diary_keeper import DiaryKeeper
from tests.chaos.history import History
from tests.chaos.patients import Patients
from tests.chaos.reception import Reception
from tests.chaos.stand import Stand
from tests.journeys.recovery import District

STRANGER = "CHAOS"
"""The ODS code of an organisation that is no practice."""
STRANGERS = 2
TOKENS_LAST = timedelta(hours=6)
NEWCOMERS_FROM, NEWCOMERS_APART = 20_000, 2_000
"""Whoever books is none of the people in the county's diaries, and no two clients book for the same one."""

_STRANGERS_SCOPE = f"{scope_words(['Slot', 'Schedule'], 'rs')} {scope_words(['Appointment'], 'cruds')}"


@dataclass(frozen=True, slots=True)
class Office:
    """Makes the clients of one run. What they choose hangs on the seed, and on what they find."""

    stand: Stand
    district: District
    http: AsyncClient
    history: History
    seed: int

    def operator(self) -> Client:
        return self._client(Holder("operator", OPERATOR_SCOPE))

    def desk(self) -> CountyDesk:
        lost = {diary.practice: diary.lost_day for diary in self.district.diaries}
        return CountyDesk(self._client(Holder("desk", OPERATOR_SCOPE)), lost)

    def work(self, desk: CountyDesk) -> Iterator[Coroutine[Any, Any, None]]:
        """What each of them does, for ever."""
        codes = self.district.codes
        for turn, practice in enumerate(codes):
            yield Reception(self._client(practice_holder(practice)), practice, [practice], newcomers(turn)).work()
        for turn in range(STRANGERS):
            holder = Holder(f"stranger-{turn}", _STRANGERS_SCOPE, STRANGER, "urgent-care")
            yield Reception(self._client(holder), STRANGER, codes, newcomers(len(codes) + turn)).work()
        keeper = replace(practice_holder(codes[0]), client=f"diary-{codes[0]}")
        yield DiaryKeeper(self._client(keeper), codes[0], newcomers(len(codes) + STRANGERS)).work()
        yield desk.work()
        yield Patients(self._client(Holder("patients", ""))).work()

    def _client(self, holder: Holder) -> Client:
        settings = self.stand.daybook.settings
        token = issuer_of(settings.home, settings.given).issue(holder, Clock().now(), TOKENS_LAST)
        rng = Random(f"{self.seed} {holder.client}")
        return Client(holder.client, self.http, settings.urls, token, self.history, rng)


def newcomers(turn: int) -> Iterator[Person]:
    """The people whom one client books for."""
    return islice(people(Random("newcomers")), NEWCOMERS_FROM + NEWCOMERS_APART * turn, None)
