"""Booking, put together."""

from datetime import timedelta

from fastapi import FastAPI, Request
from fastapi.responses import Response

from services.booking import api, changes_api, looking_back_api, session_api, slot_api
from services.booking.blueprint import BLUEPRINT
from services.booking.change_stream import Streams
from services.booking.fhir import api as fhir_api
from services.booking.fhir import http as fhir_http
from services.booking.fhir.holds import expire_holds
from services.booking.settings import Settings
from shared.http import create_app, problem
from shared.refusals import Refusal

__all__ = ["BLUEPRINT", "Settings", "create"]


def create(settings: Settings) -> FastAPI:
    """The app: FHIR R4 under `/fhir/R4`, plain JSON under `/v1`. What the API can do is said to everyone."""
    app = create_app(
        BLUEPRINT,
        settings,
        [fhir_api.router, api.router, session_api.router, slot_api.router, changes_api.router, looking_back_api.router],
        background=[expire_holds],
        render=_render,
        open_paths=frozenset({f"{fhir_http.BASE}/metadata"}),
    )
    app.state.streams = Streams()
    app.state.hold_for = timedelta(minutes=settings.hold_minutes)
    return app


def _render(request: Request, refusal: Refusal) -> Response:
    """FHIR's callers get OperationOutcomes, whatever went wrong; the others get problems."""
    return (fhir_http.render if request.url.path.startswith("/fhir") else problem)(request, refusal)
