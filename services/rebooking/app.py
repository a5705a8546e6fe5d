"""The rebooking service, put together."""

from pathlib import Path

from fastapi import FastAPI

from services.rebooking import api, desk_api, looking_back_api, notices_api, plan_api, report_api
from services.rebooking.case_reading import Histories
from services.rebooking.decider import rebooking
from services.rebooking.diary import project_booking, project_notifications
from services.rebooking.follow_up import follow_up
from services.rebooking.projections import project
from services.rebooking.reactions import WANTS, react
from services.rebooking.settings import Settings
from services.rebooking.tables import METADATA
from shared.http import create_app
from shared.service import Blueprint

__all__ = ["BLUEPRINT", "Settings", "create"]

BLUEPRINT = Blueprint(
    name="rebooking",
    metadata=METADATA,
    migrations=Path(__file__).parent / "migrations",
    decider=rebooking,
    project=project,
    follows={"booking": project_booking, "notifications": project_notifications},
    react=react,
    wants=WANTS,
)


def create(settings: Settings) -> FastAPI:
    """The service's app, its follow-up included."""
    routers = [api.router, plan_api.router, notices_api.router, report_api.router, looking_back_api.router]
    app = create_app(BLUEPRINT, settings, routers, background=[follow_up], open_paths=desk_api.PAGE.open_paths)
    app.state.rules = settings.rules()
    app.state.histories = Histories()
    return app
