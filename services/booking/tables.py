"""Booking's tables: all folded from booking's own events, and holding facts only."""

from sqlalchemy import Boolean, Column, Index, Integer, MetaData, Table, Text, func, text
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP, ExcludeConstraint

metadata = MetaData()

_INSTANT = TIMESTAMP(timezone=True)
_ROOM = {"fillfactor": 50}
"""Half of each page is left for the next version of its rows, which then need no new entries in the indexes."""

practices = Table(
    "practices",
    metadata,
    Column("practice", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("town", Text, nullable=False),
    Column("postcode", Text, nullable=False),
    Column("telephone", Text, nullable=False),
    Column("nhs111_slots_per_day", Integer, nullable=False),
)

openings = Table(
    "openings",
    metadata,
    Column("practice", Text, primary_key=True),
    Column("opening", JSONB, nullable=False),
)
"""To whom each practice is open, as a `shared.events.booking.Opening`; none, and it is open to nobody else."""

frozen = Table(
    "frozen",
    metadata,
    Column("practice", Text, primary_key=True),
    Column("outage", Text, primary_key=True),
    Column("keeps_out", JSONB, nullable=False),
)
"""The outages that a practice has now, and whom each keeps from booking there, as `Inflow`s."""

sessions = Table(
    "sessions",
    metadata,
    Column("session", Text, primary_key=True),
    Column("practice", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("clinician", Text, nullable=False),
    Column("clinician_role", Text, nullable=False),
    Column("location", Text, nullable=False),
    Column("start", _INSTANT, nullable=False),
    Column("end", _INSTANT, nullable=False),
    Column("opening", JSONB),
    Index("sessions_opened", "practice", "start", postgresql_where=text("opening IS NOT NULL")),
    ExcludeConstraint(
        ("practice", "="),
        ("clinician", "="),
        (func.tstzrange(text('"start"'), text('"end"')), "&&"),
        name="sessions_of_a_clinician_apart",
        using="gist",
    ),
)
"""`opening` goes before its practice's, if there is one. The exclusion constraint keeps one clinician's sessions at one
practice apart, whatever races."""

slots = Table(
    "slots",
    metadata,
    Column("slot", Text, primary_key=True),
    Column("session", Text, nullable=False),
    Column("practice", Text, nullable=False),
    Column("start", _INSTANT, nullable=False),
    Column("end", _INSTANT, nullable=False),
    Column("minutes", Integer, nullable=False),
    Column("channel", Text, nullable=False),
    Column("service_type", Text, nullable=False),
    Column("kept_for", Text, nullable=False),
    Column("withdrawn", Boolean, nullable=False),
    Index("slots_practice_start", "practice", "start"),
    Index("slots_start", "start", "slot"),
)
"""A withdrawn slot stays, for those who had it; no search finds it."""

appointments = Table(
    "appointments",
    metadata,
    Column("appointment", Text, primary_key=True),
    Column("session", Text, nullable=False),
    Column("practice", Text, nullable=False),
    Column("slots", JSONB, nullable=False),
    Column("start", _INSTANT, nullable=False),
    Column("end", _INSTANT, nullable=False),
    Column("minutes", Integer, nullable=False),
    Column("patient", Text, nullable=False),
    Column("sealed", Text, nullable=False),
    Column("details", Text, nullable=False),
    Column("textable", Boolean, nullable=False),
    Column("status", Text, nullable=False),
    Column("priority", Integer, nullable=False),
    Column("booked_at", _INSTANT, nullable=False),
    Column("booked_by", Text, nullable=False),
    Column("identifier", Text, nullable=False),
    Column("replaces", Text, nullable=False),
    Column("move", Text, nullable=False),
    Column("replaced_by", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("booked_by_name", Text, nullable=False),
    Column("booked_by_telephone", Text, nullable=False),
    Column("once", Text, nullable=False),
    Column("until", _INSTANT),
    Column("version", Integer, nullable=False),
    Column("changed_at", _INSTANT, nullable=False),
    Index("appointments_practice_start", "practice", "start"),
    Index("appointments_patient", "patient", "start"),
    Index("appointments_identifier", "identifier", postgresql_where=text("identifier <> ''")),
    Index("appointments_once", "once", unique=True, postgresql_where=text("once <> ''")),
    postgresql_with=_ROOM,
)
"""One row per appointment and per hold (`until` is when a hold ends; it has no patient). The unique index on `once`
breaks any transaction that would book one request twice.

`version` is that of the session's stream when the appointment last changed: it never repeats for one appointment."""

occupancy = Table(
    "occupancy",
    metadata,
    Column("appointment", Text, primary_key=True),
    Column("slot", Text, primary_key=True),
    Column("until", _INSTANT),
    Index("occupancy_slot", "slot", unique=True),
)
"""Who has which slot now; a hold only until `until`, whether or not that has been written down yet.

The unique index breaks any transaction that would give a slot away twice."""
