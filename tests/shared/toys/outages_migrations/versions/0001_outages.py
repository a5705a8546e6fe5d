"""The log, the outages, and the practices as their own service tells of them."""

import sqlalchemy as sa
from alembic import op

from shared.audit import create_accesses
from shared.database import create_log_tables

revision = "0001"
down_revision = None


def upgrade() -> None:
    create_log_tables(op)
    create_accesses(op)
    op.create_table("known_practices", sa.Column("practice", sa.Text, primary_key=True), sa.Column("name", sa.Text))
    op.create_table("outages", sa.Column("outage", sa.Text, primary_key=True), sa.Column("name", sa.Text))
