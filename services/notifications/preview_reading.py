"""What has to be known for a preview: what the practices are called, whom each text is for, and who wants none."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.notifications.addressees import Addressee
from services.notifications.preview import Proposed
from services.notifications.tables import practices, suppressed_numbers, suppressed_pairs
from services.notifications.writing import Recipient, Untold, Writer
from shared.database import among
from shared.refusals import Refusal
from shared.seal import DataKey


@dataclass(frozen=True, slots=True)
class Silenced:
    """The telephones that want no texts, and those that want none for certain patients."""

    numbers: Collection[str]
    pairs: Collection[tuple[str, str]]

    def wants_none(self, number: str, patient: str) -> bool:
        """Whether this patient is not to be texted there."""
        return number in self.numbers or (number, patient) in self.pairs


async def read_proposed(connection: AsyncConnection, asked: Sequence[Proposed]) -> list[Addressee]:
    """The appointments to be, as the wording has to know them. Raises `Refusal` for a practice that is not known."""
    codes = {code for each in asked for code in (each.practice, each.to_practice) if code}
    found = await connection.execute(select(practices).where(among(practices.c.ods_code, codes)))
    known = {row.ods_code: row for row in found}
    if unknown := sorted(codes - known.keys()):
        raise Refusal(
            f"No practice keeps a diary here under {', '.join(unknown)}", code="unknown-practice", where="practice"
        )
    places = {code: f"{row.name}, {row.town} {row.postcode}".rstrip(" ,") for code, row in known.items()}
    return [
        Addressee(
            appointment=each.appointment,
            patient=each.patient,
            sealed=each.sealed,
            practice=each.practice,
            practice_name=known[each.practice].name,
            start=each.to_start,
            place=places[each.to_practice] if each.to_practice else "",
        )
        for each in asked
    ]


def recipients(
    writer: Writer, addressees: Sequence[Addressee], keys: Mapping[str, DataKey]
) -> list[Recipient | Untold]:
    """Whom each text would be for. Blocking. Raises `Refusal` where the patient was not sealed with their own key."""
    found = []
    for at, each in enumerate(addressees):
        try:
            found.append(writer.recipient(each, keys.get(each.patient)))
        except (ValueError, msgspec.DecodeError):
            raise Refusal(
                "This was not sealed with the patient's own key", code="seal-broken", where=f"notices[{at}].sealed"
            ) from None
    return found


async def read_silenced(connection: AsyncConnection, numbers: Collection[str]) -> Silenced:
    """Which of these want no texts."""
    silent = await connection.scalars(
        select(suppressed_numbers.c.number).where(among(suppressed_numbers.c.number, numbers))
    )
    pairs = await connection.execute(
        select(suppressed_pairs.c.number, suppressed_pairs.c.patient).where(among(suppressed_pairs.c.number, numbers))
    )
    return Silenced(frozenset(silent), frozenset((number, patient) for number, patient in pairs))
