"""Events that could not be folded, so that a person can look at them."""

from alembic import op

from shared.database import create_parked

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    create_parked(op)
