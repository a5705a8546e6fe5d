"""People who do not exist: NHS numbers of the 999 range, names from short lists, telephone numbers nobody holds."""

from collections.abc import Iterator
from datetime import date, timedelta
from itertools import count
from random import Random
from typing import NamedTuple

GIVEN_NAMES = (
    "Ada", "Amir", "Bea", "Callum", "Chidi", "Dilys", "Edwin", "Farah", "Grace", "Hamza", "Imogen", "Jakub", "Keira",
    "Leon", "Maeve", "Nadia", "Oscar", "Priya", "Quentin", "Rosa", "Samuel", "Tamsin", "Umar", "Violet", "Wen", "Yusuf",
)  # fmt: skip
FAMILY_NAMES = (
    "Ashdown", "Barrow", "Coppard", "Downs", "Elwood", "Fairbrass", "Garland", "Hopkirk", "Islip", "Jessop", "Kemsley",
    "Larkin", "Mistry", "Nowak", "Okafor", "Pantry", "Quested", "Ransley", "Sandhu", "Tapsell", "Udall", "Vinter",
    "Wraight", "Yalden", "Zelenko", "Achebe", "Bianchi", "Chowdhury", "Dunmore", "Eastling",
)  # fmt: skip

_MILLION = 1_000_000
_WITH_MOBILE = 0.86
_OF_A_FAMILY = _WITH_MOBILE + 0.02
_WITH_LANDLINE = _OF_A_FAMILY + 0.07
_LAST_BIRTH = date(2024, 6, 30)


class Person(NamedTuple):
    """The patient's columns of a diary row, in their order."""

    nhs_number: str
    given_name: str
    family_name: str
    birth_date: str
    mobile: str


def people(rng: Random) -> Iterator[Person]:
    """One new person after another, each with an NHS number and, if any, a mobile of their own.

    About 88 in 100 can be texted, two of them on the telephone of the relative before them; seven gave a landline,
    five nothing.
    """
    relative: Person | None = None
    for number in count():
        nhs_number = _nhs_number(_scattered(number, 387_021))
        if nhs_number is None:
            continue
        chance = rng.random()
        family = rng.choice(FAMILY_NAMES)
        mobile = ""
        if chance < _WITH_MOBILE:
            mobile = f"07698 {_scattered(number, 618_033):06}"
        elif chance < _OF_A_FAMILY and relative is not None:
            family, mobile = relative.family_name, relative.mobile
        elif chance < _WITH_LANDLINE:
            mobile = f"01632 960{number % 1_000:03}"
        relative = Person(nhs_number, rng.choice(GIVEN_NAMES), family, _birth_date(rng), mobile)
        yield relative


def _scattered(number: int, step: int) -> int:
    """The numbers below a million in another order, none twice: the step shares no factor with a million."""
    if number >= _MILLION:
        raise ValueError("there are no more made-up NHS numbers")
    return number * step % _MILLION


def _nhs_number(serial: int) -> str | None:
    """999, six digits and the modulus 11 check digit; about one serial in eleven has none."""
    digits = f"999{serial:06}"
    check = -sum(weight * int(digit) for weight, digit in zip(range(10, 1, -1), digits, strict=True)) % 11
    return None if check == 10 else f"{digits}{check}"


def _birth_date(rng: Random) -> str:
    """Surgeries see the old more than the young."""
    return (_LAST_BIRTH - timedelta(days=int(rng.triangular(0, 95 * 365, 68 * 365)))).isoformat()
