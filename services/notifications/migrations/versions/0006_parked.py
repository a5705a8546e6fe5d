"""Events that could not be folded, so that a person can look at them."""

from alembic import op

from shared.database import create_parked

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    create_parked(op)
