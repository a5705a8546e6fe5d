"""What booking is made of."""

from pathlib import Path

from services.booking.decider import decider
from services.booking.projections import metadata, project
from services.booking.reactions import WANTS, react
from shared.service import Blueprint

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
