"""Which stream this log was copied to, so that another in its place is noticed."""

from alembic import op

from shared.database import create_relay_mark

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    create_relay_mark(op)
