"""A continuity sheet as CSV: filled in, `daybook outage reconcile` takes it as it is.

A spreadsheet changes what it takes for numbers, dates or formulas. What must come back as it went out therefore looks
like none of these, and what merely informs is made harmless.
"""

import csv
import io

from services.operator.continuity_sheets import telephone
from services.operator.day_lists import Day, DayList, Entry, Session
from shared.clock import written

COLUMNS = (
    "practice", "start", "nhs_number", "outcome", "at",
    "family_name", "given_name", "birth_date", "telephone",
    "clinician", "clinician_role", "session", "location", "channel", "service_type", "minutes", "priority", "status",
    "appointment",
)  # fmt: skip
"""The first five are for reconciling; the rest is for whoever fills them in."""

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def sheet_csv(listed: DayList, day: Day) -> str:
    """One line for each appointment of the day; `outcome` and `at` are for people to fill in.

    It begins with a byte order mark, without which Excel garbles every letter outside ASCII.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    booked = [(slot, session) for session in day.sessions for slot in session.slots if slot.appointment]
    for slot, session in sorted(booked, key=lambda each: (each[0].start, each[1].clinician, each[1].session)):
        writer.writerow(_row(listed.practice, slot, session))
    return "\ufeff" + text.getvalue()


def _row(practice: str, slot: Entry, session: Session) -> tuple[str, ...]:
    """`start` with its T and offset stays text in a spreadsheet; without, it would come back in the local fashion."""
    informing = (
        slot.family_name, slot.given_name, slot.birth_date, telephone(slot.telephone or ""),
        session.clinician, session.clinician_role, session.name, session.location, slot.channel, slot.service_type,
        str(slot.minutes), str(slot.priority or 0), slot.status, slot.appointment,
    )  # fmt: skip
    reconciling = (practice, written(slot.start), slot.nhs_number or "", "", "")
    return (*reconciling, *(_harmless(text or "") for text in informing))


def _harmless(text: str) -> str:
    """What a spreadsheet would take for a formula gets an apostrophe before it, which makes it text."""
    return f"'{text}" if text.startswith(_FORMULA) else text
