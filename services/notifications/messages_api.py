"""What people may ask of notifications: how a campaign stands, one message's story, and all that a patient was told."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from services.notifications.campaigns import Campaign, read_campaign
from services.notifications.settings import own_settings
from services.notifications.stories import Told, WholeStory, told, whole_story
from services.notifications.views import Page, SendingState, read_page
from shared.audit import Also
from shared.http import OperatorOnly, RunningDep
from shared.nhs import nhs_number

LONGEST_PAGE = 500

router = APIRouter(prefix="/v1", tags=["messages"], dependencies=[OperatorOnly])

Id = Annotated[str, Query(max_length=200, pattern=r"^[^\x00]*$")]


class PatientForm(BaseModel):
    """Whose messages are meant. In the body, since addresses end up in logs."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

    nhs_number: str = Field(max_length=20)


@router.get("/outages/{outage}/messages")
async def campaign(service: RunningDep, outage: str) -> Campaign:
    """How far the texts about an outage's moves have come, through whom and at what cost, and what was answered."""
    async with service.engine.connect() as connection:
        return await read_campaign(connection, _known(outage), own_settings(service.settings).segment_price)


@router.get("/outages/{outage}/messages/list")
async def list_messages(
    service: RunningDep,
    outage: str,
    state: SendingState | None = None,
    practice: Id = "",
    after: Annotated[Id, Query(description="What the page before ended with.")] = "",
    limit: Annotated[int, Query(ge=1, le=LONGEST_PAGE)] = 100,
) -> Page:
    """Every text about an outage, the soonest appointment first; in this `state`, or to this `practice`'s patients."""
    async with service.engine.connect() as connection:
        return await read_page(
            connection, _known(outage), state=state or "", practice=practice, after=after, limit=limit
        )


@router.get("/messages/{message}")
async def story(service: RunningDep, message: str, request: Request) -> WholeStory:
    """One message from plan to outcome, every attempt, and what came back; without its words."""
    async with service.engine.connect() as connection:
        found = await whole_story(connection, message)
    request.state.practice = found.practice
    return found


@router.post("/patients/messages")
async def patient_messages(service: RunningDep, form: PatientForm, request: Request, response: Response) -> Told:
    """Everything that a patient was sent and answered, with its words, for whoever the patient has on the telephone."""
    response.headers["Cache-Control"] = "no-store"
    patient = service.keys.pseudonym("patient", nhs_number(form.nhs_number.replace(" ", "")))
    async with service.engine.connect() as connection:
        found = await told(connection, service.keys, patient)
    # So that the trail can say who has looked this patient up, and each practice that its patient was.
    places = sorted({each.practice for each in found.messages} | {each.practice for each in found.calls})
    request.state.also.extend(
        Also("POST", "/v1/patients/messages", 200, resource=patient, practice=place) for place in places
    )
    return found


def _known(outage: str) -> str:
    """PostgreSQL would not even look for a NUL character."""
    return outage.replace("\0", " ")
