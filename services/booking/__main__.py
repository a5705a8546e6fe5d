"""`python -m services.booking serve | migrate | rebuild | restore`."""

from services.booking.app import BLUEPRINT, Settings, create
from shared.command import run_service

run_service(BLUEPRINT, Settings, create)
