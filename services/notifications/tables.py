"""The tables of notifications. Each is folded from the events of exactly one service."""

from sqlalchemy import Boolean, Column, Index, Integer, MetaData, Table, Text, text
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP

METADATA = MetaData()


messages = Table(
    "messages",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("practice", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("patient", Text, nullable=False),
    Column("appointment", Text, nullable=False),
    Column("move", Text, nullable=False),
    Column("outage", Text, nullable=False),
    Column("number", Text, nullable=False),
    Column("sealed", Text, nullable=False),
    Column("segments", Integer, nullable=False),
    Column("lane", Integer, nullable=False),
    Column("appointment_start", TIMESTAMP(timezone=True), nullable=False),
    Column("state", Text, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("unknowns", Integer, nullable=False),
    Column("provider", Text, nullable=False),
    Column("reference", Text, nullable=False),
    Column("provider_id", Text, nullable=False),
    Column("failure", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("planned_at", TIMESTAMP(timezone=True), nullable=False),
    Column("attempted_at", TIMESTAMP(timezone=True)),
    Column("accepted_at", TIMESTAMP(timezone=True)),
    Column("settled_at", TIMESTAMP(timezone=True)),
    Index(
        "messages_unsettled",
        "state",
        "lane",
        "appointment_start",
        "id",
        postgresql_where=text("state IN ('planned', 'attempted', 'unknown')"),
    ),
    Index("messages_unheard", "appointment_start", "accepted_at", postgresql_where=text("state = 'accepted'")),
    Index("messages_patient", "patient"),
    Index("messages_attempted", "attempted_at"),
    Index("messages_number", "number"),
    Index("messages_outage", "outage"),
)
"""One row per message. `state`: planned, attempted, unknown, accepted, silent, delivered or failed.

`unknowns`: how many attempts have been of unknown outcome. `detail`: why it failed, or why it has to be tried again.
"""

replies = Table(
    "replies",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("message", Text, nullable=False),
    Column("appointment", Text, nullable=False),
    Column("outage", Text, nullable=False),
    Column("answer", Text, nullable=False),
    Column("number", Text, nullable=False),
    Column("words", Text, nullable=False),
    Column("candidates", JSONB, nullable=False),
    Column("practices", JSONB, nullable=False),
    Column("sealed", Text, nullable=False),
    Column("received_at", TIMESTAMP(timezone=True), nullable=False),
    Column("open", Boolean, nullable=False),
    Column("resolved_by", Text, nullable=False),
    Column("resolved_at", TIMESTAMP(timezone=True)),
    Index("replies_outage", "outage"),
    Index("replies_message", "message"),
    Index("replies_appointment", "appointment"),
    Index("replies_number", "number", "received_at"),
    Index("replies_open", "received_at", postgresql_where=text("open")),
)
"""Every text that came in. One that no message explains has no `message`, but a `number` and its `candidates`.

`open`: a person still has to read it. `words`: the keyed pseudonym of number and text.
"""

suppressed_numbers = Table(
    "suppressed_numbers",
    METADATA,
    Column("number", Text, primary_key=True),
    Column("reason", Text, nullable=False),
    Column("suppressed_at", TIMESTAMP(timezone=True), nullable=False),
)
"""The numbers that asked for silence."""

suppressed_pairs = Table(
    "suppressed_pairs",
    METADATA,
    Column("number", Text, primary_key=True),
    Column("patient", Text, primary_key=True),
    Column("reason", Text, nullable=False),
    Column("suppressed_at", TIMESTAMP(timezone=True), nullable=False),
)
"""The numbers that were said not to be these patients'."""

calls = Table(
    "calls",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("message", Text, nullable=False),
    Column("practice", Text, nullable=False),
    Column("patient", Text, nullable=False),
    Column("appointment", Text, nullable=False),
    Column("outage", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("raised_at", TIMESTAMP(timezone=True), nullable=False),
    Index("calls_outage", "outage"),
    Index("calls_message", "message"),
    Index("calls_patient", "patient"),
)
"""Whom a person has to telephone, because no text can or may."""

practices = Table(
    "practices",
    METADATA,
    Column("ods_code", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("town", Text, nullable=False),
    Column("postcode", Text, nullable=False),
)
"""From booking: what each practice is called, and where it is."""

appointments = Table(
    "appointments",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("practice", Text, nullable=False),
    Column("patient", Text, nullable=False),
    Column("sealed", Text, nullable=False),
    Column("start", TIMESTAMP(timezone=True), nullable=False),
    Column("status", Text, nullable=False),
    Column("home", Text, nullable=False),
    Column("move", Text, nullable=False),
    Column("outage", Text, nullable=False),
    Column("booked_at", TIMESTAMP(timezone=True), nullable=False),
    Index("appointments_to_come", "start", postgresql_where=text("status = 'booked'")),
)
"""From booking: the appointments that were still to come when they were made, for only those are written about.

`status`: booked, moved, displaced, cancelled, fulfilled, missed or entered-in-error. `home`: the patient's own
practice, if it is another. `move`, `outage`: what made it, if a move did.
"""
