"""The ledger of messages, and what of the diary they speak of."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP

from shared.database import create_log_tables

revision = "0001"
down_revision = None


def upgrade() -> None:
    create_log_tables(op)
    _messages()
    _answers()
    _silence_and_calls()
    _diary()


def _messages() -> None:
    op.create_table(
        "messages",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("practice", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("patient", sa.Text, nullable=False),
        sa.Column("appointment", sa.Text, nullable=False),
        sa.Column("move", sa.Text, nullable=False),
        sa.Column("outage", sa.Text, nullable=False),
        sa.Column("number", sa.Text, nullable=False),
        sa.Column("sealed", sa.Text, nullable=False),
        sa.Column("segments", sa.Integer, nullable=False),
        sa.Column("appointment_start", TIMESTAMP(timezone=True), nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("provider", sa.Text, nullable=False),
        sa.Column("reference", sa.Text, nullable=False),
        sa.Column("provider_id", sa.Text, nullable=False),
        sa.Column("failure", sa.Text, nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
        sa.Column("planned_at", TIMESTAMP(timezone=True), nullable=False),
        sa.Column("attempted_at", TIMESTAMP(timezone=True)),
        sa.Column("accepted_at", TIMESTAMP(timezone=True)),
        sa.Column("settled_at", TIMESTAMP(timezone=True)),
    )
    op.create_index("messages_number", "messages", ["number"])
    op.create_index("messages_outage", "messages", ["outage"])
    op.create_index(
        "messages_unsettled",
        "messages",
        ["state", "appointment_start", "id"],
        postgresql_where=sa.text("state IN ('planned', 'attempted', 'unknown')"),
    )


def _answers() -> None:
    op.create_table(
        "replies",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("message", sa.Text, nullable=False),
        sa.Column("outage", sa.Text, nullable=False),
        sa.Column("answer", sa.Text, nullable=False),
        sa.Column("number", sa.Text, nullable=False),
        sa.Column("candidates", JSONB, nullable=False),
        sa.Column("sealed", sa.Text, nullable=False),
        sa.Column("received_at", TIMESTAMP(timezone=True), nullable=False),
    )
    op.create_index("replies_outage", "replies", ["outage"])
    op.create_index("replies_message", "replies", ["message"])


def _silence_and_calls() -> None:
    op.create_table(
        "suppressed_numbers",
        sa.Column("number", sa.Text, primary_key=True),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("suppressed_at", TIMESTAMP(timezone=True), nullable=False),
    )
    op.create_table(
        "calls",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("message", sa.Text, nullable=False),
        sa.Column("practice", sa.Text, nullable=False),
        sa.Column("patient", sa.Text, nullable=False),
        sa.Column("appointment", sa.Text, nullable=False),
        sa.Column("outage", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("raised_at", TIMESTAMP(timezone=True), nullable=False),
    )
    op.create_index("calls_outage", "calls", ["outage"])


def _diary() -> None:
    op.create_table(
        "practices",
        sa.Column("ods_code", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
    )
    op.create_table(
        "appointments",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("practice", sa.Text, nullable=False),
        sa.Column("patient", sa.Text, nullable=False),
        sa.Column("sealed", sa.Text, nullable=False),
        sa.Column("start", TIMESTAMP(timezone=True), nullable=False),
        sa.Column("status", sa.Text, nullable=False),
    )
