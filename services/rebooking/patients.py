"""Who the patients are, for the lists that people work by: opened with their own keys, and never written down."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from msgspec import Struct

from shared.seal import DataKey, Keys, PatientBlock, opened

T = TypeVar("T", bound=Struct)


@dataclass(frozen=True, slots=True)
class Person:
    """Who a patient is. `telephone` is as it was given, be it one that can be texted or not.

    An erased patient has a line, too, though nobody can say any more whose it is: somebody may yet come.
    """

    nhs_number: str = ""
    given_name: str = ""
    family_name: str = ""
    birth_date: str = ""
    telephone: str = ""
    erased: bool = False


ERASED = Person(erased=True)


@dataclass(frozen=True, slots=True)
class Patients:
    """What was sealed about these patients can be read, except that of those who have been erased."""

    keys: Mapping[str, DataKey]

    def who(self, patient: str, sealed: str) -> Person:
        """The patient that `sealed` describes."""
        block = self.read(patient, sealed, PatientBlock)
        if block is None:
            return ERASED
        return Person(block.nhs_number, block.given_name, block.family_name, block.birth_date, block.mobile)

    def read(self, patient: str, sealed: str, kind: type[T]) -> T | None:
        """What is sealed there; None if nothing is, or the patient has been erased."""
        return opened(self.keys.get(patient), sealed, kind)


async def patients(keys: Keys, pseudonyms: Iterable[str]) -> Patients:
    """These patients, their keys looked up together."""
    return Patients(await keys.find(set(pseudonyms)))
