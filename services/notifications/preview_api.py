"""Requests of operators to see what texts would come to, before anybody says yes to the plan they tell of."""

import asyncio
from collections.abc import Collection, Sequence
from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from services.notifications.addressees import Addressee
from services.notifications.conversations_rows import read_sharing
from services.notifications.preview import Preview, Proposed, Tally
from services.notifications.preview_reading import Silenced, read_proposed, read_silenced, recipients
from services.notifications.settings import own_settings
from services.notifications.wording import Notice
from services.notifications.writing import ERASED, Recipient, Untold, Writer, writer_of
from shared.http import OperatorOnly, RunningDep

MOST = 5000
"""Notices in one request; a county's are asked about page by page."""

_ANY_CODE = " 0000"
"""As long as any."""

router = APIRouter(tags=["notifications"], dependencies=[OperatorOnly])

Id = Annotated[str, Field(max_length=200, pattern=r"^[^\x00]*$")]


class _Body(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ProposedNotice(_Body):
    """A new time, as rebooking lists it; `sealed` is who the patient is, and opens with the patient's key."""

    appointment: Id
    patient: Id
    practice: Id
    to_practice: Id = ""
    to_start: AwareDatetime
    sealed: str


class Asked(_Body):
    """The new times that patients would be told of."""

    notices: Annotated[list[ProposedNotice], Field(max_length=MOST)]


@router.post("/v1/messages/preview")
async def preview_messages(body: Asked, service: RunningDep, response: Response) -> Preview:
    """What the texts about these new times would come to, and who would have to be telephoned. Nothing is sent or kept.

    Where a telephone is asked about several appointments, its texts have codes to answer with.
    """
    response.headers["Cache-Control"] = "no-store"
    asked = [Proposed(**dict(each)) for each in body.notices]
    writer, keys = writer_of(service), await service.keys.find({each.patient for each in asked})
    async with service.engine.connect() as connection:
        addressees = await read_proposed(connection, asked)
        # In threads, so that health, following and other requests go on meanwhile.
        found = await asyncio.to_thread(recipients, writer, addressees, keys)
        numbers = {
            to.appointment: who.number for to, who in zip(addressees, found, strict=True) if isinstance(who, Recipient)
        }
        silenced = await read_silenced(connection, set(numbers.values()))
        sharing = await read_sharing(connection, numbers, service.clock.now())
    tally = await asyncio.to_thread(_tallied, writer, addressees, found, silenced, sharing)
    return tally.preview(own_settings(service.settings).segment_price)


def _tallied(
    writer: Writer,
    addressees: Sequence[Addressee],
    found: Sequence[Recipient | Untold],
    silenced: Silenced,
    sharing: Collection[str],
) -> Tally:
    tally = Tally()
    for to, who in zip(addressees, found, strict=True):
        if isinstance(who, Untold):
            tally.untexted["erased" if who.reason == ERASED else "without_mobile"] += 1
        elif silenced.wants_none(who.number, to.patient):
            tally.untexted["opted_out"] += 1
        else:
            code = _ANY_CODE if to.appointment in sharing else ""
            tally.add(
                writer.wordings.write("moved", Notice(who.first_name, to.practice_name, to.start, to.place, code))
            )
    return tally
