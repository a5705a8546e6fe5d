"""Notifications, wired."""

from functools import partial
from pathlib import Path

from fastapi import FastAPI

from services.notifications import callbacks, desk_api, preview_api, sending_api
from services.notifications.api import people
from services.notifications.decider import DECIDER
from services.notifications.diary import project_booking
from services.notifications.projections import project
from services.notifications.reactions import WANTS, react
from services.notifications.reminding import remind
from services.notifications.sending import Window, send
from services.notifications.settings import NotificationsSettings
from services.notifications.silence import listen_for_silence
from services.notifications.tables import METADATA
from services.notifications.turns import Turns
from services.notifications.writing import wordings_of
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
    """The service's app, its sender and its reminders included."""
    wordings_of(settings)  # a wrong template is refused now, and not when the first text is written
    routers = [callbacks.router, people, preview_api.router, sending_api.router]
    window = Window()
    app = create_app(
        BLUEPRINT,
        settings,
        routers,
        background=[partial(send, window=window), listen_for_silence, remind],
        open_paths=callbacks.CALLBACKS | desk_api.PAGE.open_paths,
        figures=[partial(sending_api.add_figures, window)],
    )
    app.state.window, app.state.turns = window, Turns()
    return app
