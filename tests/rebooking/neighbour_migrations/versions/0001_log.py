"""A log, and no tables."""

from alembic import op

from shared.database import create_log_tables

revision = "0001"
down_revision = None


def upgrade() -> None:
    create_log_tables(op)
