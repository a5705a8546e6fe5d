"""The log, and the diary folded from it."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP, ExcludeConstraint

from shared.database import create_log_tables

revision = "0001"
down_revision = None

INSTANT = TIMESTAMP(timezone=True)


def upgrade() -> None:
    create_log_tables(op)
    # Equality of texts beside overlap of ranges in one index; a trusted extension, so the database's owner may add it.
    op.execute("CREATE EXTENSION IF NOT EXISTS btree_gist")
    op.create_table(
        "practices",
        sa.Column("practice", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("town", sa.Text, nullable=False),
        sa.Column("postcode", sa.Text, nullable=False),
        sa.Column("telephone", sa.Text, nullable=False),
        sa.Column("nhs111_slots_per_day", sa.Integer, nullable=False),
    )
    op.create_table(
        "frozen",
        sa.Column("practice", sa.Text, primary_key=True),
        sa.Column("outage", sa.Text, primary_key=True),
    )
    _create_sessions()
    _create_slots()
    _create_appointments()
    op.create_table(
        "occupancy",
        sa.Column("appointment", sa.Text, primary_key=True),
        sa.Column("slot", sa.Text, primary_key=True),
    )
    op.create_index("occupancy_slot", "occupancy", ["slot"], unique=True)


def _create_sessions() -> None:
    op.create_table(
        "sessions",
        sa.Column("session", sa.Text, primary_key=True),
        sa.Column("practice", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("clinician", sa.Text, nullable=False),
        sa.Column("clinician_role", sa.Text, nullable=False),
        sa.Column("location", sa.Text, nullable=False),
        sa.Column("start", INSTANT, nullable=False),
        sa.Column("end", INSTANT, nullable=False),
        ExcludeConstraint(
            ("practice", "="),
            ("clinician", "="),
            (sa.func.tstzrange(sa.text('"start"'), sa.text('"end"')), "&&"),
            name="sessions_of_a_clinician_apart",
            using="gist",
        ),
    )


def _create_slots() -> None:
    op.create_table(
        "slots",
        sa.Column("slot", sa.Text, primary_key=True),
        sa.Column("session", sa.Text, nullable=False),
        sa.Column("practice", sa.Text, nullable=False),
        sa.Column("start", INSTANT, nullable=False),
        sa.Column("end", INSTANT, nullable=False),
        sa.Column("minutes", sa.Integer, nullable=False),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("service_type", sa.Text, nullable=False),
        sa.Column("kept_for", sa.Text, nullable=False),
    )
    op.create_index("slots_practice_start", "slots", ["practice", "start"])


def _create_appointments() -> None:
    op.create_table(
        "appointments",
        sa.Column("appointment", sa.Text, primary_key=True),
        sa.Column("session", sa.Text, nullable=False),
        sa.Column("practice", sa.Text, nullable=False),
        sa.Column("slots", JSONB, nullable=False),
        sa.Column("start", INSTANT, nullable=False),
        sa.Column("end", INSTANT, nullable=False),
        sa.Column("minutes", sa.Integer, nullable=False),
        sa.Column("patient", sa.Text, nullable=False),
        sa.Column("sealed", sa.Text, nullable=False),
        sa.Column("details", sa.Text, nullable=False),
        sa.Column("textable", sa.Boolean, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("priority", sa.Integer, nullable=False),
        sa.Column("booked_at", INSTANT, nullable=False),
        sa.Column("booked_by", sa.Text, nullable=False),
        sa.Column("identifier", sa.Text, nullable=False),
        sa.Column("replaces", sa.Text, nullable=False),
        sa.Column("move", sa.Text, nullable=False),
        sa.Column("replaced_by", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("changed_at", INSTANT, nullable=False),
    )
    op.create_index("appointments_practice_start", "appointments", ["practice", "start"])
