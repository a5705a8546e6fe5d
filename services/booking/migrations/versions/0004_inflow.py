"""Whom an outage keeps out. Until now each kept out everybody."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    everybody = '["practice", "nhs-111", "public"]'
    op.add_column("frozen", sa.Column("keeps_out", JSONB, nullable=False, server_default=everybody))
    op.alter_column("frozen", "keeps_out", server_default=None)
