"""Booking's plain API of a single slot: why somebody can, or cannot, see and have it."""

from typing import Annotated, Any

from fastapi import APIRouter, Query

from services.booking.commands import Asker
from services.booking.explain import SENTENCES, Explained, explain
from services.booking.fhir.resources import local
from services.booking.guarding import GuardDep, needs, no_such_slot
from services.booking.keeping import standing, standing_of
from services.booking.opening_form import require_ods_code, require_type, shown
from services.booking.session_views import SlotFacts
from shared.access import Caller, Forbidden
from shared.http import RunningDep
from shared.refusals import Refusal

router = APIRouter(prefix="/v1/slots", tags=["slots"])

Named = Annotated[str, Query(alias="for", max_length=12)]
Typed = Annotated[str, Query(alias="type", max_length=64)]


@router.get("/{id}/visibility", dependencies=[needs("Slot", "r")])
async def explain_visibility(
    id: str, service: RunningDep, guard: GuardDep, organisation: Named = "", organisation_type: Typed = ""
) -> dict[str, Any]:
    """Why the organisation with this ODS code (and type) can, or cannot, see and have the slot now.

    Its practice may ask about any organisation; others about themselves, once they can see it. Without `for`, it is
    answered for the caller.
    """
    _check(organisation, organisation_type)
    caller, now = guard.caller, service.clock.now()
    async with service.engine.connect() as connection:
        slot = await guard.slot(connection, id)
    own = caller.belongs_to(slot.practice)
    itself = Asker(standing(caller, slot.practice), caller.organisation, caller.organisation_type)
    if not own:
        _require_itself(explain(slot, itself, now), caller, organisation, organisation_type)
    guard.trail(slot.practice)
    asker = _other(slot, organisation, organisation_type) if own and organisation else itself
    return _answer(slot, asker, explain(slot, asker, now), own=own)


def _check(organisation: str, organisation_type: str) -> None:
    if organisation:
        require_ods_code(organisation, "for")
    if organisation_type:
        require_type(organisation_type, "type")
        if not organisation:
            raise Refusal("A type goes with the organisation that is asked for", code="bad-parameter", where="type")


def _require_itself(found: Explained, caller: Caller, organisation: str, organisation_type: str) -> None:
    """Raises `NotFound` unless the slot can be seen, and `Forbidden` if it is asked for somebody else."""
    if not found.visible:
        raise no_such_slot()
    if organisation not in ("", caller.organisation) or organisation_type not in ("", caller.organisation_type):
        raise Forbidden(
            "Whom else the slot is open to is for its practice to ask", code="not-yours-to-ask", where="for"
        )


def _other(slot: SlotFacts, organisation: str, organisation_type: str) -> Asker:
    return Asker(standing_of(organisation, organisation_type, slot.practice), organisation, organisation_type)


def _answer(slot: SlotFacts, asker: Asker, found: Explained, *, own: bool) -> dict[str, Any]:
    """Whom else the slot is open to is told to its own practice only."""
    opening = {"opening_of": found.opening_of, "opening": shown(found.opening)}
    return {
        "slot": slot.slot,
        "for": {
            "organisation": asker.organisation,
            "organisation_type": asker.organisation_type,
            "standing": asker.standing,
        },
        "verdict": found.verdict,
        "sentence": SENTENCES[found.verdict],
        "visible": found.visible,
        "facts": {
            "practice": slot.practice,
            "kept_for": slot.kept_for,
            "start": local(slot.start),
            "released": None if found.released is None else local(found.released),
            "closes": local(found.closes),
            **(opening if own else {}),
        },
    }
