"""What a new appointment would change for the patient: another practice, clinician, channel or half of the day."""

from collections.abc import Sequence

import numpy as np

from services.rebooking.conditions import Offered
from services.rebooking.eligibility import WaitingPatient
from services.rebooking.matching import Numbers
from services.rebooking.rules import Continuity
from services.rebooking.times import Times


def changes(
    weights: Continuity, patients: Sequence[WaitingPatient], lost: Times, slots: Offered, columns: Numbers
) -> Numbers:
    """What each of these slots would change for each patient, weighed: 0 for nothing."""
    weighed = np.zeros((len(patients), columns.size), np.int64)
    for before, after, weight in (
        (slots.practices.codes_of(patient.practice for patient in patients), slots.practices.codes, weights.practice),
        (
            slots.clinicians.codes_of(patient.clinician for patient in patients),
            slots.clinicians.codes,
            weights.clinician,
        ),
        (slots.channels.codes_of(patient.channel for patient in patients), slots.channels.codes, weights.channel),
        (lost.mornings, slots.times.mornings, weights.half_of_day),
    ):
        weighed += np.where(np.not_equal.outer(before, after[columns]), weight, 0)
    return weighed
