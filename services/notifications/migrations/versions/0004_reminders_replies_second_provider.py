"""Reminders, so every appointment to come; replies that a person reads; attempts with more than one provider.

What was not kept so far is only in the log: after this migration run `daybook rebuild notifications`.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    _messages()
    _replies()
    _pairs()
    _calls()
    _appointments()


def _messages() -> None:
    for name, default in (("lane", "1"), ("unknowns", "0")):
        _add("messages", sa.Column(name, sa.Integer, nullable=False, server_default=default))
    op.drop_index("messages_unsettled", "messages")
    op.create_index(
        "messages_unsettled",
        "messages",
        ["state", "lane", "appointment_start", "id"],
        postgresql_where=sa.text("state IN ('planned', 'attempted', 'unknown')"),
    )
    op.create_index(
        "messages_unheard",
        "messages",
        ["appointment_start", "accepted_at"],
        postgresql_where=sa.text("state = 'accepted'"),
    )
    op.create_index("messages_patient", "messages", ["patient"])
    op.create_index("messages_attempted", "messages", ["attempted_at"])


def _replies() -> None:
    for name in ("appointment", "words", "resolved_by"):
        _add("replies", sa.Column(name, sa.Text, nullable=False, server_default=""))
    _add("replies", sa.Column("practices", JSONB, nullable=False, server_default="[]"))
    _add("replies", sa.Column("open", sa.Boolean, nullable=False, server_default=sa.false()))
    op.add_column("replies", sa.Column("resolved_at", TIMESTAMP(timezone=True)))
    op.create_index("replies_appointment", "replies", ["appointment"])
    op.create_index("replies_number", "replies", ["number", "received_at"])
    op.create_index("replies_open", "replies", ["received_at"], postgresql_where=sa.text("open"))


def _pairs() -> None:
    op.create_table(
        "suppressed_pairs",
        sa.Column("number", sa.Text, primary_key=True),
        sa.Column("patient", sa.Text, primary_key=True),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("suppressed_at", TIMESTAMP(timezone=True), nullable=False),
    )


def _calls() -> None:
    op.create_index("calls_message", "calls", ["message"])
    op.create_index("calls_patient", "calls", ["patient"])


def _appointments() -> None:
    for name in ("move", "outage"):
        _add("appointments", sa.Column(name, sa.Text, nullable=False, server_default=""))
    _add("appointments", sa.Column("booked_at", TIMESTAMP(timezone=True), nullable=False, server_default="-infinity"))
    op.create_index("appointments_to_come", "appointments", ["start"], postgresql_where=sa.text("status = 'booked'"))


def _add(table: str, column: "sa.Column[object]") -> None:
    """With a value for the rows there are; those to come say theirs."""
    op.add_column(table, column)
    op.alter_column(table, column.name, server_default=None)
