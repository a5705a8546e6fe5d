"""Room on each page for the next version of rows that change by the ten thousand; an index without the rows that have
nothing to look for.
"""

from alembic import op
from sqlalchemy import text

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    for table in ("slots", "appointments", "messages", "recoveries", "moves"):
        op.execute(f"ALTER TABLE {table} SET (fillfactor = 50)")
    op.drop_index("recoveries_standing", "recoveries")
    op.create_index("recoveries_standing", "recoveries", ["standing"], postgresql_where=text("standing <> ''"))
