"""Booking's plain API of sessions, for the practice's own system: publish, extend, open and withdraw them."""

from typing import Annotated, Any

from fastapi import APIRouter, Body, Query, Response

from services.booking.commands import OpenSession, PublishSession, Sheet, WithdrawSlots
from services.booking.fhir.resources import local
from services.booking.guarding import Guard, GuardDep, needs
from services.booking.known import elsewhere
from services.booking.opening_form import OpeningForm, read_opening, shown
from services.booking.session_form import MOST_SLOTS, SessionForm, SlotsForm, added, sheet
from services.booking.session_views import Openings, session_openings
from services.booking.withdrawals import Preview, Unconfirmed, Withdrawal, WithdrawalForm, confirmed_version, preview
from shared.events.booking import AppointmentDisplaced, Opening, SessionPublished, SlotsAdded, SlotsWithdrawn
from shared.http import RunningDep
from shared.ids import new_id
from shared.refusals import Conflict
from shared.service import Running

router = APIRouter(prefix="/v1/sessions", tags=["sessions"])


@router.post("", status_code=201, dependencies=[needs("Schedule", "c")])
async def publish_session(
    form: SessionForm, response: Response, service: RunningDep, guard: GuardDep
) -> dict[str, Any]:
    """Publish a session, or add slots to one; 200 if all of it was there already."""
    guard.require_own(form.practice)
    opening = None if form.opening is None else read_opening(form.opening, "opening.")
    published = await _publish(service, response, sheet(form), opening)
    guard.trail(form.practice)
    return published


@router.post("/{session}/slots", status_code=201, dependencies=[needs("Schedule", "u")])
async def extend_session(
    session: str, form: SlotsForm, response: Response, service: RunningDep, guard: GuardDep
) -> dict[str, Any]:
    """Add slots to a session; 200 if all of them were there already."""
    async with service.engine.connect() as connection:
        row = await guard.session(connection, session)
    return await _publish(service, response, added(form, row), None)


@router.get("/{session}/opening", dependencies=[needs("Schedule", "r")])
async def read_session_opening(session: str, service: RunningDep, guard: GuardDep) -> dict[str, Any]:
    """To whom the session is open: what it says itself (null: as its practice), and what therefore counts."""
    async with service.engine.connect() as connection:
        await guard.session(connection, session)
        return _shown(session, await session_openings(connection, session))


@router.put("/{session}/opening", dependencies=[needs("Schedule", "u")])
async def open_session(
    session: str, form: Annotated[OpeningForm | None, Body()], service: RunningDep, guard: GuardDep
) -> dict[str, Any]:
    """Say to whom the session is open from now on; `null`: to whomever its practice is."""
    opening = None if form is None else read_opening(form)
    async with service.engine.connect() as connection:
        row = await guard.session(connection, session)
    await service.executor.execute(OpenSession(row.practice, session, opening))
    async with service.engine.connect() as connection:
        return _shown(session, await session_openings(connection, session))


@router.get("/{session}/withdrawal", dependencies=[needs("Schedule", "d")])
async def preview_withdrawal(
    session: str,
    service: RunningDep,
    guard: GuardDep,
    slots: Annotated[tuple[str, ...], Query(max_length=MOST_SLOTS)] = (),
) -> Preview:
    """What withdrawing these slots, or all that are still to come, would displace; nothing is changed."""
    return await _preview(service, await _withdrawal(service, guard, session, slots))


@router.post("/{session}/withdrawal", dependencies=[needs("Schedule", "d")])
async def withdraw(session: str, form: WithdrawalForm, service: RunningDep, guard: GuardDep) -> Withdrawal:
    """Take slots out of the session. If patients have any of them, the answer is 409 with a preview to confirm."""
    command = await _withdrawal(service, guard, session, form.slots or (), form.reason, form.confirmation)
    try:
        recorded = await service.executor.execute(command)
    except Conflict as conflict:
        if conflict.code not in ("confirmation-needed", "withdrawal-changed"):
            raise
        raise Unconfirmed(conflict, await _preview(service, command)) from None
    events = [record.event for record in recorded]
    withdrawn = [slot for event in events if isinstance(event, SlotsWithdrawn) for slot in event.slots]
    displaced = [event.appointment for event in events if isinstance(event, AppointmentDisplaced)]
    return Withdrawal(command.withdrawal if withdrawn else None, withdrawn, displaced)


async def _withdrawal(
    service: Running, guard: Guard, session: str, slots: tuple[str, ...], reason: str = "", confirmation: str = ""
) -> WithdrawSlots:
    async with service.engine.connect() as connection:
        row = await guard.session(connection, session)
    return WithdrawSlots(
        practice=row.practice,
        session=session,
        slots=slots,
        reason=reason.strip(),
        withdrawal=new_id(),
        confirmed=confirmed_version(session, slots, confirmation) if confirmation else None,
        now=service.clock.now(),
    )


async def _preview(service: Running, command: WithdrawSlots) -> Preview:
    async with service.engine.connect() as connection:
        return await preview(connection, command)


async def _publish(service: Running, response: Response, page: Sheet, opening: Opening | None) -> dict[str, Any]:
    async with service.engine.connect() as connection:
        if other := await elsewhere(connection, page):
            raise Conflict(other.in_words, code="session-overlaps", where="slots")
    recorded = await service.executor.execute(PublishSession(page, service.clock.now(), opening))
    written = any(isinstance(record.event, (SessionPublished, SlotsAdded)) for record in recorded)
    response.status_code = 201 if written else 200
    slots = [{"slot": slot.id, "start": local(slot.start), "kept_for": slot.kept_for} for slot in page.slots]
    return {"session": page.session, "slots": slots}


def _shown(session: str, openings: Openings) -> dict[str, Any]:
    return {
        "session": session,
        "opening": None if openings.session is None else shown(openings.session),
        "effective": shown(openings.effective),
    }
