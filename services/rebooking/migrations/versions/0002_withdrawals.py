"""Withdrawn sessions beside outages, and who waits found by appointment."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    # What was declared before there were withdrawals was an outage; from now on the fold says which.
    op.add_column("outages", sa.Column("kind", sa.Text, nullable=False, server_default="outage"))
    op.alter_column("outages", "kind", server_default=None)
    op.create_index("recoveries_appointment", "recoveries", ["appointment"])
