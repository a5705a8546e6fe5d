"""To whom slots are open, holds that end by themselves, withdrawn slots, and requests that are never booked twice."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP

revision = "0002"
down_revision = "0001"

INSTANT = TIMESTAMP(timezone=True)


def upgrade() -> None:
    op.create_table(
        "openings",
        sa.Column("practice", sa.Text, primary_key=True),
        sa.Column("opening", JSONB, nullable=False),
    )
    op.add_column("sessions", sa.Column("opening", JSONB))
    op.add_column("occupancy", sa.Column("until", INSTANT))
    op.add_column("appointments", sa.Column("until", INSTANT))
    _add_filled("slots", sa.Column("withdrawn", sa.Boolean, nullable=False, server_default=sa.false()))
    for name in ("booked_by_name", "booked_by_telephone", "once"):
        _add_filled("appointments", sa.Column(name, sa.Text, nullable=False, server_default=""))
    op.create_index(
        "sessions_opened", "sessions", ["practice", "start"], postgresql_where=sa.text("opening IS NOT NULL")
    )
    op.create_index("slots_start", "slots", ["start", "slot"])
    op.create_index("appointments_patient", "appointments", ["patient", "start"])
    op.create_index(
        "appointments_identifier", "appointments", ["identifier"], postgresql_where=sa.text("identifier <> ''")
    )
    op.create_index("appointments_once", "appointments", ["once"], unique=True, postgresql_where=sa.text("once <> ''"))


def _add_filled(table: str, column: "sa.Column[Any]") -> None:
    """A column that the rows there have a value for; later ones bring their own."""
    op.add_column(table, column)
    op.alter_column(table, column.name, server_default=None)
