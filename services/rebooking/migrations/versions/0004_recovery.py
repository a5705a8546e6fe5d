"""The whole way back: hubs, constraints, fresh offers, calls. What was folded before lacks what the new columns tell:
after this migration run `daybook rebuild rebooking`.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    _add("practices", sa.Column("freed", sa.BigInteger, nullable=False, server_default="0"))
    _add("appointments", sa.Column("sealed", sa.Text, nullable=False, server_default=""))
    _add("appointments", sa.Column("textable", sa.Boolean, nullable=False, server_default=sa.false()))
    op.add_column("messages", sa.Column("told_at", postgresql.TIMESTAMP(timezone=True)))
    _add("outages", sa.Column("keeps_out", postgresql.JSONB, nullable=False, server_default="[]"))
    _add("outages", sa.Column("automatic", sa.Boolean, nullable=False, server_default=sa.false()))
    _add("outages", sa.Column("automatic_by", sa.Text, nullable=False, server_default=""))
    _add("recoveries", sa.Column("typed_at", postgresql.TIMESTAMP(timezone=True), nullable=False, server_default=_THEN))
    _add("recoveries", sa.Column("typed_by", sa.Text, nullable=False, server_default=""))
    _add("recoveries", sa.Column("standing", sa.Text, nullable=False, server_default=""))
    op.create_index("recoveries_standing", "recoveries", ["standing"])
    _add("plans", sa.Column("follow_up", sa.Boolean, nullable=False, server_default=sa.false()))
    for table in ("placements", "moves"):
        _add(table, sa.Column("standing", sa.Text, nullable=False, server_default=""))
        _add(table, sa.Column("to_practice", sa.Text, nullable=False, server_default=""))
    op.add_column("moves", sa.Column("confirmed_at", postgresql.TIMESTAMP(timezone=True)))
    op.add_column("moves", sa.Column("answer_by", postgresql.TIMESTAMP(timezone=True)))
    _add("moves", sa.Column("answer", sa.Text, nullable=False, server_default=""))
    op.drop_column("calls", "result")
    op.drop_column("calls", "made_by")
    _add("calls", sa.Column("claimed_by", sa.Text, nullable=False, server_default=""))
    op.add_column("calls", sa.Column("claimed_until", postgresql.TIMESTAMP(timezone=True)))
    _constraints()
    _call_attempts()


_THEN = sa.text("'epoch'")


def _add(table: str, column: "sa.Column[object]") -> None:
    """What the rows there are lack is filled in for now; from here on the fold says it."""
    op.add_column(table, column)
    op.alter_column(table, column.name, server_default=None)


def _constraints() -> None:
    op.create_table(
        "constraints",
        sa.Column("outage", sa.Text, primary_key=True),
        sa.Column("appointment", sa.Text, primary_key=True),
        sa.Column("practice", sa.Text, nullable=False),
        sa.Column("constraints", postgresql.JSONB, nullable=False),
        sa.Column("noted_by", sa.Text, nullable=False),
    )


def _call_attempts() -> None:
    op.create_table(
        "call_attempts",
        sa.Column("outage", sa.Text, primary_key=True),
        sa.Column("practice", sa.Text, primary_key=True),
        sa.Column("version", sa.Integer, primary_key=True),
        sa.Column("appointment", sa.Text, nullable=False),
        sa.Column("made_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("made_by", sa.Text, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
    )
    op.create_index("call_attempts_appointment", "call_attempts", ["outage", "appointment"])
