"""Alembic's way into rebooking's migrations."""

from shared.migrate import run_migrations

run_migrations()
