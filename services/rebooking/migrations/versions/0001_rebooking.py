"""The log and the first tables of rebooking."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from shared.database import create_log_tables

revision = "0001"
down_revision = None

_INSTANT = sa.TIMESTAMP(timezone=True)


def upgrade() -> None:
    create_log_tables(op)
    _create_diary()
    _create_recoveries()
    _create_plans()


def _create_diary() -> None:
    op.create_table(
        "practices",
        sa.Column("practice", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
    )
    op.create_table(
        "sessions",
        sa.Column("session", sa.Text, primary_key=True),
        sa.Column("practice", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("clinician", sa.Text, nullable=False),
        sa.Column("clinician_role", sa.Text, nullable=False),
        sa.Column("location", sa.Text, nullable=False),
    )
    op.create_table(
        "slots",
        sa.Column("slot", sa.Text, primary_key=True),
        sa.Column("session", sa.Text, nullable=False),
        sa.Column("practice", sa.Text, nullable=False),
        sa.Column("start", _INSTANT, nullable=False),
        sa.Column("minutes", sa.Integer, nullable=False),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("service_type", sa.Text, nullable=False),
        sa.Column("kept_for", sa.Text, nullable=False),
        sa.Column("appointment", sa.Text),
        sa.Column("withdrawn", sa.Boolean, nullable=False),
    )
    op.create_index("slots_start", "slots", ["start"])
    op.create_table(
        "appointments",
        sa.Column("appointment", sa.Text, primary_key=True),
        sa.Column("session", sa.Text, nullable=False),
        sa.Column("practice", sa.Text, nullable=False),
        sa.Column("slot", sa.Text, nullable=False),
        sa.Column("patient", sa.Text, nullable=False),
        sa.Column("start", _INSTANT, nullable=False),
        sa.Column("minutes", sa.Integer, nullable=False),
        sa.Column("priority", sa.Integer, nullable=False),
        sa.Column("booked_at", _INSTANT, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
    )
    op.create_index("appointments_practice_start", "appointments", ["practice", "start"])
    op.create_table(
        "messages",
        sa.Column("message", sa.Text, primary_key=True),
        sa.Column("outage", sa.Text, nullable=False),
        sa.Column("practice", sa.Text, nullable=False),
        sa.Column("appointment", sa.Text, nullable=False),
    )


def _create_recoveries() -> None:
    op.create_table(
        "outages",
        sa.Column("outage", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("practices", JSONB, nullable=False),
        sa.Column("started_at", _INSTANT, nullable=False),
        sa.Column("ended_at", _INSTANT),
        sa.Column("declared_by", sa.Text, nullable=False),
        sa.Column("declared_at", _INSTANT, nullable=False),
    )
    op.create_table(
        "outage_practices",
        sa.Column("outage", sa.Text, primary_key=True),
        sa.Column("practice", sa.Text, primary_key=True),
    )
    op.create_table(
        "recoveries",
        sa.Column("outage", sa.Text, primary_key=True),
        sa.Column("appointment", sa.Text, primary_key=True),
        sa.Column("practice", sa.Text, nullable=False),
        sa.Column("patient", sa.Text, nullable=False),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("evidence", sa.Text, nullable=False),
        sa.Column("happened_at", _INSTANT, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("wish", sa.Text, nullable=False),
    )
    op.create_table(
        "moves",
        sa.Column("move", sa.Text, primary_key=True),
        sa.Column("outage", sa.Text, nullable=False),
        sa.Column("practice", sa.Text, nullable=False),
        sa.Column("appointment", sa.Text, nullable=False),
        sa.Column("to_session", sa.Text, nullable=False),
        sa.Column("to_slot", sa.Text, nullable=False),
        sa.Column("to_start", _INSTANT, nullable=False),
        sa.Column("requested_at", _INSTANT, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("to_appointment", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
    )
    op.create_index("moves_outage", "moves", ["outage"])
    op.create_table(
        "calls",
        sa.Column("outage", sa.Text, primary_key=True),
        sa.Column("appointment", sa.Text, primary_key=True),
        sa.Column("practice", sa.Text, nullable=False),
        sa.Column("patient", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("needed_at", _INSTANT, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("result", sa.Text, nullable=False),
        sa.Column("made_by", sa.Text, nullable=False),
    )


def _create_plans() -> None:
    op.create_table(
        "plans",
        sa.Column("outage", sa.Text, primary_key=True),
        sa.Column("practice", sa.Text, primary_key=True),
        sa.Column("plan", sa.Text, primary_key=True),
        sa.Column("part", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("read_position", sa.BigInteger, nullable=False),
        sa.Column("proposed_at", _INSTANT, nullable=False),
        sa.Column("expires_at", _INSTANT, nullable=False),
        sa.Column("approved_by", sa.Text, nullable=False),
        sa.Column("approved_at", _INSTANT),
    )
    op.create_table(
        "placements",
        sa.Column("outage", sa.Text, primary_key=True),
        sa.Column("appointment", sa.Text, primary_key=True),
        sa.Column("practice", sa.Text, nullable=False),
        sa.Column("plan", sa.Text, nullable=False),
        sa.Column("from_session", sa.Text, nullable=False),
        sa.Column("to_session", sa.Text, nullable=False),
        sa.Column("to_slot", sa.Text, nullable=False),
        sa.Column("to_start", _INSTANT, nullable=False),
        sa.Column("minutes", sa.Integer, nullable=False),
        sa.Column("priority", sa.Integer, nullable=False),
    )
    op.create_table(
        "unplaced",
        sa.Column("outage", sa.Text, primary_key=True),
        sa.Column("appointment", sa.Text, primary_key=True),
        sa.Column("practice", sa.Text, nullable=False),
        sa.Column("plan", sa.Text, nullable=False),
        sa.Column("priority", sa.Integer, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
    )
