"""`python -m services.notifications serve | migrate | rebuild | restore`."""

from fastapi import FastAPI

from services.notifications.blueprint import BLUEPRINT
from services.notifications.settings import NotificationsSettings
from shared.command import run_service


def _create(settings: NotificationsSettings) -> FastAPI:
    """Imported when it is served: all other verbs need nothing of it, and start in half the time."""
    from services.notifications.app import create

    return create(settings)


if __name__ == "__main__":
    run_service(BLUEPRINT, NotificationsSettings, _create)
