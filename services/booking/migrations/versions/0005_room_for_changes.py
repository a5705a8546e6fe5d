"""Room on each page for the next version of an appointment: on a lost day all of them change."""

from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.execute("ALTER TABLE appointments SET (fillfactor = 50)")
