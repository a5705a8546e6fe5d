"""The tables of rebooking. Each is folded from the events of exactly one service."""

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, MetaData, Table, Text
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP

METADATA = MetaData()

practices = Table(
    "practices",
    METADATA,
    Column("practice", Text, primary_key=True),
    Column("name", Text, nullable=False),
)
"""From booking: who keeps a diary."""

sessions = Table(
    "sessions",
    METADATA,
    Column("session", Text, primary_key=True),
    Column("practice", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("clinician", Text, nullable=False),
    Column("clinician_role", Text, nullable=False),
    Column("location", Text, nullable=False),
)
"""From booking: the pages of the diaries."""

slots = Table(
    "slots",
    METADATA,
    Column("slot", Text, primary_key=True),
    Column("session", Text, nullable=False),
    Column("practice", Text, nullable=False),
    Column("start", TIMESTAMP(timezone=True), nullable=False),
    Column("minutes", Integer, nullable=False),
    Column("channel", Text, nullable=False),
    Column("service_type", Text, nullable=False),
    Column("kept_for", Text, nullable=False),
    Column("appointment", Text),
    Column("withdrawn", Boolean, nullable=False),
    Index("slots_start", "start"),
)
"""From booking: `appointment` is the one that has the slot, if any; of a slot that is held, the one to come."""

appointments = Table(
    "appointments",
    METADATA,
    Column("appointment", Text, primary_key=True),
    Column("session", Text, nullable=False),
    Column("practice", Text, nullable=False),
    Column("slot", Text, nullable=False),
    Column("patient", Text, nullable=False),
    Column("start", TIMESTAMP(timezone=True), nullable=False),
    Column("minutes", Integer, nullable=False),
    Column("priority", Integer, nullable=False),
    Column("booked_at", TIMESTAMP(timezone=True), nullable=False),
    Column("status", Text, nullable=False),
    Index("appointments_practice_start", "practice", "start"),
)
"""From booking: `slot` is the first; `status` is booked, arrived, fulfilled, missed, cancelled, rescheduled (by the
practice itself), moved, displaced (its slots were withdrawn) or entered-in-error."""

messages = Table(
    "messages",
    METADATA,
    Column("message", Text, primary_key=True),
    Column("outage", Text, nullable=False),
    Column("practice", Text, nullable=False),
    Column("appointment", Text, nullable=False),
)
"""From notifications: which appointment a message is about."""

outages = Table(
    "outages",
    METADATA,
    Column("outage", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("practices", JSONB, nullable=False),
    Column("started_at", TIMESTAMP(timezone=True), nullable=False),
    Column("ended_at", TIMESTAMP(timezone=True)),
    Column("declared_by", Text, nullable=False),
    Column("declared_at", TIMESTAMP(timezone=True), nullable=False),
    Column("kind", Text, nullable=False),
)
"""`kind` is outage or withdrawal; a withdrawal starts and ends when the practice withdrew the session."""

outage_practices = Table(
    "outage_practices",
    METADATA,
    Column("outage", Text, primary_key=True),
    Column("practice", Text, primary_key=True),
)

recoveries = Table(
    "recoveries",
    METADATA,
    Column("outage", Text, primary_key=True),
    Column("appointment", Text, primary_key=True),
    Column("practice", Text, nullable=False),
    Column("patient", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("evidence", Text, nullable=False),
    Column("happened_at", TIMESTAMP(timezone=True), nullable=False),
    Column("state", Text, nullable=False),
    Column("wish", Text, nullable=False),
    Index("recoveries_appointment", "appointment"),
)
"""One row per reconciled appointment. `outcome` is what became of it on the day, `state` how far it has come since:
attended, missed, cancelled, triage, rescheduled, or displaced → planned → requested → moved or refused → kept or
declined."""

plans = Table(
    "plans",
    METADATA,
    Column("outage", Text, primary_key=True),
    Column("practice", Text, primary_key=True),
    Column("plan", Text, primary_key=True),
    Column("part", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("read_position", BigInteger, nullable=False),
    Column("proposed_at", TIMESTAMP(timezone=True), nullable=False),
    Column("expires_at", TIMESTAMP(timezone=True), nullable=False),
    Column("approved_by", Text, nullable=False),
    Column("approved_at", TIMESTAMP(timezone=True)),
)
"""One row per practice's part of a plan; `state` is proposed, approved or expired."""

placements = Table(
    "placements",
    METADATA,
    Column("outage", Text, primary_key=True),
    Column("appointment", Text, primary_key=True),
    Column("practice", Text, nullable=False),
    Column("plan", Text, nullable=False),
    Column("from_session", Text, nullable=False),
    Column("to_session", Text, nullable=False),
    Column("to_slot", Text, nullable=False),
    Column("to_start", TIMESTAMP(timezone=True), nullable=False),
    Column("minutes", Integer, nullable=False),
    Column("priority", Integer, nullable=False),
)
"""The place that the newest plan which looked for one has found for an appointment."""

unplaced = Table(
    "unplaced",
    METADATA,
    Column("outage", Text, primary_key=True),
    Column("appointment", Text, primary_key=True),
    Column("practice", Text, nullable=False),
    Column("plan", Text, nullable=False),
    Column("priority", Integer, nullable=False),
    Column("reason", Text, nullable=False),
)
"""The appointments for which the newest plan found no place, and why."""

moves = Table(
    "moves",
    METADATA,
    Column("move", Text, primary_key=True),
    Column("outage", Text, nullable=False),
    Column("practice", Text, nullable=False),
    Column("appointment", Text, nullable=False),
    Column("to_session", Text, nullable=False),
    Column("to_slot", Text, nullable=False),
    Column("to_start", TIMESTAMP(timezone=True), nullable=False),
    Column("requested_at", TIMESTAMP(timezone=True), nullable=False),
    Column("state", Text, nullable=False),
    Column("to_appointment", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Index("moves_outage", "outage"),
)
"""What booking was asked for; `state` is requested, confirmed or refused."""

calls = Table(
    "calls",
    METADATA,
    Column("outage", Text, primary_key=True),
    Column("appointment", Text, primary_key=True),
    Column("practice", Text, nullable=False),
    Column("patient", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("needed_at", TIMESTAMP(timezone=True), nullable=False),
    Column("state", Text, nullable=False),
    Column("result", Text, nullable=False),
    Column("made_by", Text, nullable=False),
)
"""Whom to telephone; `state` is needed or made."""
