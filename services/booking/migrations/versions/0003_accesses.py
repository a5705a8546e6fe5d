"""The trail of accesses."""

from alembic import op

from shared.audit import create_accesses

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    create_accesses(op)
