"""A county to practise on: its practices, made up or read from a file, and each one's share of the lost Friday."""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from random import Random

from services.operator.county_clinics import Share
from services.operator.county_diary import SHARE_ON_THE_DAY, Diary, keep_diary
from services.operator.county_people import people
from shared.refusals import Refusal

COLUMNS = ("ods_code", "name", "town", "postcode", "registered_patients", "nhs111_slots_per_day")
MOST_APPOINTMENTS = 200_000
"""More than that on one day, and there would not be enough made-up NHS numbers for everyone."""

_TAKEN_WHERE_FULL = 0.94
"""Of the slots for booking ahead, in a lopsided county's full practices."""

_ODS_CODE = re.compile(r"[A-Z0-9]{3,10}")
_TOWNS = (
    "Larkhaven", "Otterbourne Sands", "Wexcombe", "Pennywell", "Stourmere", "Hopfield", "Marlinge", "Applegarth",
    "Whitcliffe", "Saltreach", "Oasthill", "Bramblehurst", "Kingsfleet", "Thornley Marsh", "Cinder Quay",
)  # fmt: skip
_PLACES = (
    "Orchard", "Harbour", "Station Road", "Old Forge", "Meadow", "Lighthouse", "Mill Lane", "Chestnut", "Bridge",
    "Priory", "Heron", "Market Square", "Willow", "Windmill", "Castle View",
)  # fmt: skip
_KINDS = ("Surgery", "Medical Centre", "Health Centre", "Practice", "Family Practice", "Medical Practice")


@dataclass(frozen=True, slots=True)
class Practice:
    """A practice as the county's list has it."""

    ods_code: str
    name: str
    town: str
    postcode: str
    registered_patients: int
    nhs111_slots_per_day: int


def made_up_practices(count: int, seed: int) -> tuple[Practice, ...]:
    """Practices that do not exist, with list sizes as they are in Kent: many of 8,000, a few of 25,000."""
    rng = Random(f"practices {seed}")
    names = rng.sample([f"{place} {kind}" for place in _PLACES for kind in _KINDS], len(_PLACES) * len(_KINDS))
    return tuple(_made_up(rng, number, names[(number - 1) % len(names)]) for number in range(1, count + 1))


def _made_up(rng: Random, number: int, name: str) -> Practice:
    patients = int(min(28_000, max(1_500, rng.lognormvariate(9.1, 0.55))))
    return Practice(
        ods_code=f"MADEUP{number:03}",
        name=name,
        town=rng.choice(_TOWNS),
        postcode=f"ZZ{number % 100} {rng.randint(1, 9)}ZZ",
        registered_patients=patients,
        nhs111_slots_per_day=max(1, patients // 3_000),
    )


def practices_from(text: str) -> tuple[Practice, ...]:
    """The practices of a CSV file. Raises `Refusal` naming the line and the column of the first thing that is wrong."""
    reader = csv.DictReader(io.StringIO(text.removeprefix("\ufeff")))
    missing = [column for column in COLUMNS if column not in (reader.fieldnames or ())]
    if missing:
        raise _refusal(1, missing[0], f"the file has no column {', '.join(missing)}")
    practices: dict[str, Practice] = {}
    for row in reader:
        practice = _practice(row, reader.line_num)
        if practice.ods_code in practices:
            raise _refusal(reader.line_num, "ods_code", f"practice {practice.ods_code} stands there twice")
        practices[practice.ods_code] = practice
    if not practices:
        raise _refusal(2, "ods_code", "the file names no practice")
    return tuple(practices.values())


def _practice(row: dict[str, str | None], line: int) -> Practice:
    ods_code = (row["ods_code"] or "").strip()
    if not _ODS_CODE.fullmatch(ods_code):
        raise _refusal(line, "ods_code", f"“{ods_code}” is not an ODS code: 3 to 10 capital letters and digits")
    name = (row["name"] or "").strip()
    if not name:
        raise _refusal(line, "name", f"practice {ods_code} has no name")
    return Practice(
        ods_code=ods_code,
        name=name,
        town=(row["town"] or "").strip(),
        postcode=(row["postcode"] or "").strip(),
        registered_patients=_count(row, "registered_patients", line),
        nhs111_slots_per_day=_count(row, "nhs111_slots_per_day", line),
    )


def _count(row: dict[str, str | None], column: str, line: int) -> int:
    text = (row[column] or "").strip()
    if not re.fullmatch(r"[0-9]{1,9}", text) or int(text) == 0:
        raise _refusal(line, column, f"“{text}” is not a whole number above zero")
    return int(text)


def _refusal(line: int, column: str, what: str) -> Refusal:
    return Refusal(f"Practices file, line {line}: {what}", code="bad-practices-file", where=f"line {line}, {column}")


def practices_csv(practices: Sequence[Practice]) -> str:
    """The practices as booking registers them."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(tuple(getattr(practice, column) for column in COLUMNS) for practice in practices)
    return text.getvalue()


def diaries(practices: Sequence[Practice], appointments: int, seed: int, *, lopsided: bool = False) -> Iterator[Diary]:
    """Every practice's diary; on the lost Friday the county has exactly this many appointments.

    The same practices, number and seed give the same diaries to the letter. In a lopsided county, every third practice
    has hardly a free slot left in the two weeks after.
    """
    if not 1 <= appointments <= MOST_APPOINTMENTS:
        raise Refusal(
            f"A day of {appointments} appointments cannot be made up: give a number from 1 to {MOST_APPOINTMENTS}",
            code="too-many-appointments",
            where="appointments",
        )
    everyone = people(Random(f"people {seed}"))
    for number, (practice, usual) in enumerate(zip(practices, shares(practices, appointments), strict=True)):
        share = usual._replace(taken_ahead=_TAKEN_WHERE_FULL) if lopsided and number % 3 == 0 else usual
        rng = Random(f"diary {seed} {practice.ods_code}")
        yield keep_diary(practice.ods_code, share, rng, lambda count: tuple(islice(everyone, count)))


def shares(practices: Sequence[Practice], appointments: int) -> tuple[Share, ...]:
    """What each practice does in a day, in proportion to its list, to the exact sum."""
    a_day = apportion(appointments, [practice.registered_patients for practice in practices])
    same_day = apportion(round(appointments * SHARE_ON_THE_DAY), a_day)
    return tuple(
        Share(appointments=whole, same_day=now, nhs111=practice.nhs111_slots_per_day)
        for practice, whole, now in zip(practices, a_day, same_day, strict=True)
    )


def apportion(total: int, weights: Sequence[float]) -> tuple[int, ...]:
    """`total` in whole parts in proportion to the weights, the odd ones going to the largest remainders."""
    whole = sum(weights)
    exact = [total * weight / whole for weight in weights]
    parts = [int(part) for part in exact]
    by_remainder = sorted(range(len(parts)), key=lambda at: (parts[at] - exact[at], at))
    for at in by_remainder[: total - sum(parts)]:
        parts[at] += 1
    return tuple(parts)
