"""The trail of accesses."""

from alembic import op

from shared.audit import create_accesses

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    create_accesses(op)
