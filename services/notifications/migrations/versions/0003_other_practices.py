"""Moves to other practices. Where a practice is was not kept so far: after this migration run
`daybook rebuild notifications`.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    for table, name in (("practices", "town"), ("practices", "postcode"), ("appointments", "home")):
        op.add_column(table, sa.Column(name, sa.Text, nullable=False, server_default=""))
        op.alter_column(table, name, server_default=None)
