"""Alembic's way into the neighbours' migrations."""

from shared.migrate import run_migrations

run_migrations()
