"""What rebooking can be asked, beside plans and reports: outages, what became of the patients, and whom to ring."""

from fastapi import APIRouter

from services.rebooking import calls_api, desk_api, outage_api, practice_api, reconciliation_api, sheet_api
from shared.http import routes_of

router = APIRouter(
    routes=routes_of(
        part.router for part in (practice_api, sheet_api, calls_api, reconciliation_api, outage_api, desk_api)
    )
)
