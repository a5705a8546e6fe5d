"""Filling the services: the county's practices are registered, and their diaries imported."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

from services.operator.county import Practice, diaries, made_up_practices, practices_csv, practices_from
from services.operator.county_diary import Diary
from services.operator.demo_recovery import Paper, paper
from services.operator.demo_screen import Screen
from services.operator.demo_services import Place
from services.operator.imports import read_file
from shared.refusals import Refusal

PRACTICES_OF_A_COUNTY = 181
_AT_ONCE = 3


@dataclass(frozen=True, slots=True)
class County:
    """The made-up facts: practices, their diaries, and the paper of the lost day."""

    practices: tuple[Practice, ...]
    diaries: tuple[Diary, ...]
    paper: Paper
    seconds: float


def make_up(screen: Screen, file: Path | None, appointments: int, seed: int) -> County:
    """A county with so many appointments on its lost Friday. The same seed gives the same county."""
    practices = _practices(file, seed)
    kept = []
    with screen.stage("Make up the county", of=len(practices)) as stage:
        for diary in diaries(practices, appointments, seed):
            kept.append(diary)
            stage.advance()
        sheets = paper(kept, seed)
    screen.says(f"{len(kept)} practices, {sum(diary.rows for diary in kept):,} slots on 11 working days.")
    return County(practices, tuple(kept), sheets, stage.seconds)


def _practices(file: Path | None, seed: int) -> tuple[Practice, ...]:
    if file is None:
        return made_up_practices(PRACTICES_OF_A_COUNTY, seed)
    try:
        return practices_from(read_file(file).decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise Refusal(f"{file} is not a text file in UTF-8", code="bad-practices-file", where=str(file)) from None


async def load(place: Place, county: County) -> float:
    """Register the practices and import every diary, a few at a time; returns how many seconds it took."""
    await place.post("booking", "/v1/practices", practices_csv(county.practices))
    with place.screen.stage("Import the diaries", of=len(county.diaries)) as stage:
        waiting = iter(county.diaries)

        async def desk() -> None:
            for diary in waiting:
                await place.post("booking", "/v1/diary", diary.text)
                stage.advance()

        await asyncio.gather(*(desk() for _ in range(_AT_ONCE)))
    return stage.seconds
