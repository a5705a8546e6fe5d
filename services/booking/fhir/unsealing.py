"""Appointments as their readers see them: the patients of a whole page are unsealed at once, and no others."""

from collections.abc import Sequence

from services.booking.fhir import resources
from services.booking.fhir.resources import Json
from services.booking.rows import AppointmentRow
from shared.seal import DataKey, Details, Keys, PatientBlock


async def appointment_resources(keys: Keys, rows: Sequence[AppointmentRow]) -> list[Json]:
    """The Appointments, in the order of the rows. A patient whose key was destroyed is erased; a hold has none."""
    found = await keys.find({row.patient for row in rows if row.patient})
    return [_resource(row, found.get(row.patient)) for row in rows]


def _resource(row: AppointmentRow, key: DataKey | None) -> Json:
    if key is None:
        return resources.appointment(row, None, None)
    return resources.appointment(row, key.open(row.sealed, PatientBlock), key.open(row.details, Details))
