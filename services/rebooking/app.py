"""The rebooking service, put together."""

from fastapi import FastAPI

from services.rebooking import api, desk_api, looking_back_api, notices_api, plan_api, report_api
from services.rebooking.blueprint import BLUEPRINT
from services.rebooking.case_reading import Histories
from services.rebooking.follow_up import follow_up
from services.rebooking.settings import Settings
from shared.http import create_app

__all__ = ["BLUEPRINT", "Settings", "create"]


def create(settings: Settings) -> FastAPI:
    """The service's app, its follow-up included."""
    routers = [api.router, plan_api.router, notices_api.router, report_api.router, looking_back_api.router]
    app = create_app(BLUEPRINT, settings, routers, background=[follow_up], open_paths=desk_api.PAGE.open_paths)
    app.state.rules = settings.rules()
    app.state.histories = Histories()
    return app
