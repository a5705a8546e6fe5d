"""Booking, put together."""

from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.responses import Response

from services.booking import api, fhir_api
from services.booking.decider import decider
from services.booking.outcomes import operation_outcome, outcome_of
from services.booking.projections import metadata, project
from services.booking.reactions import WANTS, react
from services.booking.settings import Settings
from shared.http import create_app, problem
from shared.refusals import Refusal
from shared.service import Blueprint

__all__ = ["BLUEPRINT", "Settings", "create"]

BLUEPRINT = Blueprint(
    name="booking",
    metadata=metadata,
    migrations=Path(__file__).parent / "migrations",
    decider=decider,
    project=project,
    follows={},
    react=react,
    wants=WANTS,
)


def create(settings: Settings) -> FastAPI:
    """The app: FHIR R4 under `/fhir/R4`, plain JSON under `/v1`."""
    return create_app(BLUEPRINT, settings, [fhir_api.router, api.router], render=_render)


def _render(request: Request, refusal: Refusal) -> Response:
    """FHIR's callers get OperationOutcomes, whatever went wrong; the others get problems."""
    if not request.url.path.startswith("/fhir"):
        return problem(request, refusal)
    return fhir_api.fhir_response(operation_outcome(refusal), outcome_of(refusal).status)
