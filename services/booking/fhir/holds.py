"""Holding slots for somebody who is about to book them, and giving them back when their time is over."""

import asyncio
from collections.abc import Sequence
from datetime import datetime

import structlog

from services.booking.commands import ExpireHolds, HoldSlots
from services.booking.fhir import claims, resources
from services.booking.fhir.conditional import as_it_was, first_recorded, key_name, key_reused
from services.booking.fhir.contained import Booker
from services.booking.fhir.desk import Desk
from services.booking.fhir.forms import HoldForm, local_id, read_hold
from services.booking.fhir.interactions import Answer, Ask
from services.booking.fhir.shapes import Parameters, shaped
from services.booking.fhir.writing import Prepared, places_for, wanted_of
from services.booking.fhir.written import about, answer, blank_row, changed_row
from shared.database import FAULTS, reader
from shared.events.booking import SlotsHeld
from shared.events.envelope import Recorded
from shared.ids import new_id
from shared.refusals import Refusal, Unavailable
from shared.service import Running

_SOONEST, _LATEST = 1.0, 15.0
"""Seconds between looks for holds whose time is over. One made meanwhile lasts a minute at least."""

_log = structlog.get_logger(__name__)


async def prepare_hold(desk: Desk, ask: Ask) -> Prepared:
    """Slots to be held: an Appointment with status pending, or Parameters with `slot`.

    An `Idempotency-Key` names the hold within its session, so that a repeated request finds it.
    """
    form = _form(ask)
    if ask.if_none_exist is not None:
        raise Refusal("A hold has no identifier to be found by", code="bad-header", where="If-None-Exist")
    (place, *others), asker = await places_for(desk, ask, form.slots, form.booker)
    if form.claims:
        claims.check(form.claims, resources.appointment(blank_row(place, ask.now), None, None))
    hold = HoldSlots(
        appointment=key_name(ask, place.session) or new_id(),
        practice=place.practice,
        session=place.session,
        slots=form.slots,
        start=form.start or place.start,
        end=form.end or (others[-1] if others else place).end,
        asker=asker,
        until=ask.now + desk.hold_for,
        now=ask.now,
    )

    async def finish(recorded: Sequence[Recorded]) -> Answer:
        mine = about(recorded, hold.appointment)
        if mine is None:
            return await _held_before(desk, ask, hold)
        row = changed_row(blank_row(place, ask.now), mine)
        return answer(ask, row, resources.appointment(row, None, None), 201)

    return Prepared(place.practice, (hold,), finish, wanted_of(place, form.slots), asker)


def _form(ask: Ask) -> HoldForm:
    if not isinstance(ask.body, dict) or ask.body.get("resourceType") != "Parameters":
        return read_hold(ask.body, base=ask.base)
    slots = []
    for place, parameter in enumerate(shaped(ask.body, Parameters).parameter):
        where = f"Parameters.parameter[{place}]"
        if parameter.name != "slot" or parameter.value_reference is None:
            raise Refusal("A hold takes slots: name slot, valueReference Slot/…", code="invalid-resource", where=where)
        slots.append(local_id(parameter.value_reference, "Slot", ask.base, where))
    if not slots:
        raise Refusal("Say which slots are to be held", code="invalid-resource", where="Parameters.parameter")
    return HoldForm(tuple(slots), None, None, Booker(), claims.NONE)


async def _held_before(desk: Desk, ask: Ask, hold: HoldSlots) -> Answer:
    recorded = await first_recorded(desk, hold.session, hold.appointment, SlotsHeld)
    if recorded.event.slots != hold.slots:
        raise key_reused()
    return await as_it_was(desk, ask, recorded)


async def expire_holds(service: Running) -> None:
    """For ever: releases holds soon after their time, by the service's own clock."""
    while True:
        try:
            rest = await release_over(service)
        except (*FAULTS, Unavailable) as fault:
            _log.warning("holds could not be released; trying again", reason=type(fault).__name__)
            rest = _LATEST
        await asyncio.sleep(rest)


async def release_over(service: Running) -> float:
    """Releases every hold whose time is over now, and says how many seconds the next look may wait."""
    now = service.clock.now()
    async with service.engine.connect() as connection:
        raw = await reader(connection)
        over = await raw.fetch(_OVER, now)
        following: datetime | None = await raw.fetchval(_FOLLOWING, now)
    for row in over:
        await service.executor.execute(ExpireHolds(row["session"], now))
    wait = (following - service.clock.now()).total_seconds() if following else _LATEST
    return min(max(wait, _SOONEST), _LATEST)


_OVER = """
    SELECT DISTINCT slots.session FROM occupancy JOIN slots ON slots.slot = occupancy.slot WHERE occupancy.until <= $1
"""
_FOLLOWING = "SELECT min(until) FROM occupancy WHERE until > $1"
