"""Notifications, wired."""

from pathlib import Path

from fastapi import FastAPI

from services.notifications.api import CALLBACKS, people, router
from services.notifications.decider import DECIDER
from services.notifications.projections import project, project_booking
from services.notifications.reactions import WANTS, react
from services.notifications.sending import send
from services.notifications.settings import NotificationsSettings
from services.notifications.tables import METADATA
from shared.http import create_app
from shared.service import Blueprint

Settings = NotificationsSettings

BLUEPRINT = Blueprint(
    name="notifications",
    metadata=METADATA,
    migrations=Path(__file__).parent / "migrations",
    decider=DECIDER,
    project=project,
    follows={"booking": project_booking},
    react=react,
    wants=WANTS,
)


def create(settings: NotificationsSettings) -> FastAPI:
    """The service's app, its sender included."""
    return create_app(BLUEPRINT, settings, [router, people], background=[send], open_paths=CALLBACKS)
