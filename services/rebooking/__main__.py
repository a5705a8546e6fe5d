"""`python -m services.rebooking`: serve, migrate, rebuild, restore."""

from services.rebooking.app import BLUEPRINT, Settings, create
from shared.command import run_service

if __name__ == "__main__":
    run_service(BLUEPRINT, Settings, create)
