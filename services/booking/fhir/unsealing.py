"""Appointments as their readers see them: the patients of a whole page are unsealed at once, and no others."""

from collections.abc import Sequence

from services.booking.fhir import resources
from services.booking.fhir.resources import Json
from services.booking.rows import AppointmentRow
from shared.seal import DataKey, Details, Keys, PatientBlock, opened


async def appointment_resources(keys: Keys, rows: Sequence[AppointmentRow]) -> list[Json]:
    """The Appointments, in the order of the rows. A patient whose key was destroyed is erased; a hold has none."""
    found = await keys.find({row.patient for row in rows if row.patient})
    return [unsealed(row, found.get(row.patient)) for row in rows]


def unsealed(row: AppointmentRow, key: DataKey | None) -> Json:
    """The Appointment. What its patient's key does not open is left out, as if erased: the time and the place stand.

    The key of a patient who was erased and then entered again opens nothing of before.
    """
    patient, details = opened(key, row.sealed, PatientBlock), opened(key, row.details, Details)
    return resources.appointment(row, patient, details)
