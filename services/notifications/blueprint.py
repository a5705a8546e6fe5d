"""What notifications is made of."""

from pathlib import Path

from services.notifications.decider import DECIDER
from services.notifications.diary import project_booking
from services.notifications.projections import project
from services.notifications.reactions import WANTS, react
from services.notifications.tables import METADATA
from shared.service import Blueprint

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
