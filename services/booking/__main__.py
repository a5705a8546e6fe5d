"""`python -m services.booking serve | migrate | rebuild | restore`."""

from fastapi import FastAPI

from services.booking.blueprint import BLUEPRINT
from services.booking.settings import Settings
from shared.command import run_service


def _create(settings: Settings) -> FastAPI:
    """Imported when it is served: all other verbs need nothing of it, and start in half the time."""
    from services.booking.app import create

    return create(settings)


if __name__ == "__main__":
    run_service(BLUEPRINT, Settings, _create)
