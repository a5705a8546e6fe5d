"""Notifications, wired."""

from functools import partial

from fastapi import FastAPI

from services.notifications import callbacks, desk_api, preview_api, sending_api
from services.notifications.api import people
from services.notifications.blueprint import BLUEPRINT
from services.notifications.reminding import remind
from services.notifications.sending import Window, send
from services.notifications.settings import NotificationsSettings
from services.notifications.silence import listen_for_silence
from services.notifications.turns import Turns
from services.notifications.writing import wordings_of
from shared.http import create_app

__all__ = ["BLUEPRINT", "Settings", "create"]

Settings = NotificationsSettings


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
