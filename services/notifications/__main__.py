"""`python -m services.notifications serve | migrate | rebuild | restore`."""

from services.notifications.app import BLUEPRINT, Settings, create
from shared.command import run_service

run_service(BLUEPRINT, Settings, create)
