"""`python -m services.notifications serve | migrate | rebuild | restore`."""

from services.notifications.blueprint import BLUEPRINT
from services.notifications.settings import NotificationsSettings
from shared.command import run_service


def _serve(settings: NotificationsSettings) -> int:
    """Imported when it is served: all other verbs need nothing of it, and start in half the time."""
    from services.notifications.app import create
    from shared.serving import serve

    return serve(settings, create(settings))


if __name__ == "__main__":
    run_service(BLUEPRINT, NotificationsSettings, _serve)
