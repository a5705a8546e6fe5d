"""`python -m services.rebooking serve | migrate | rebuild | restore`."""

from services.rebooking.blueprint import BLUEPRINT
from services.rebooking.settings import Settings
from shared.command import run_service


def _serve(settings: Settings) -> int:
    """Imported when it is served: all other verbs need nothing of it, and start in half the time."""
    from services.rebooking.app import create
    from shared.serving import serve

    return serve(settings, create(settings))


if __name__ == "__main__":
    run_service(BLUEPRINT, Settings, _serve)
