"""What rebooking is made of."""

from pathlib import Path

from services.rebooking.decider import rebooking
from services.rebooking.diary import project_booking, project_notifications
from services.rebooking.projections import project
from services.rebooking.reactions import WANTS, react
from services.rebooking.tables import METADATA
from shared.service import Blueprint

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
