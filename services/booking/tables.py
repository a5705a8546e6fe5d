"""Booking's tables: all folded from booking's own events, and holding facts only."""

from sqlalchemy import Boolean, Column, Index, Integer, MetaData, Table, Text, func, text
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP, ExcludeConstraint

metadata = MetaData()

_INSTANT = TIMESTAMP(timezone=True)

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

frozen = Table(
    "frozen",
    metadata,
    Column("practice", Text, primary_key=True),
    Column("outage", Text, primary_key=True),
)
"""The outages that keep a practice frozen; none, and it is open."""

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
    ExcludeConstraint(
        ("practice", "="),
        ("clinician", "="),
        (func.tstzrange(text('"start"'), text('"end"')), "&&"),
        name="sessions_of_a_clinician_apart",
        using="gist",
    ),
)
"""The exclusion constraint keeps one clinician's sessions at one practice apart, whatever races."""

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
    Index("slots_practice_start", "practice", "start"),
)

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
    Column("version", Integer, nullable=False),
    Column("changed_at", _INSTANT, nullable=False),
    Index("appointments_practice_start", "practice", "start"),
)
"""`version` is that of the session's stream when the appointment last changed: it never repeats for one appointment."""

occupancy = Table(
    "occupancy",
    metadata,
    Column("appointment", Text, primary_key=True),
    Column("slot", Text, primary_key=True),
    Index("occupancy_slot", "slot", unique=True),
)
"""Who has which slot now. The unique index breaks any transaction that would give a slot away twice."""
