"""The log and the practices."""

import sqlalchemy as sa
from alembic import op

from shared.audit import create_accesses
from shared.database import create_log_tables

revision = "0001"
down_revision = None


def upgrade() -> None:
    create_log_tables(op)
    create_accesses(op)
    op.create_table(
        "practices",
        sa.Column("practice", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, nullable=False, unique=True),
        sa.Column("frozen_by", sa.Text, nullable=False),
    )
