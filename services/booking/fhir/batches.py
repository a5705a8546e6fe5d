"""Bundles of interactions: a batch, each of whose entries stands by itself, and a transaction, which is one."""

from collections.abc import Awaitable, Sequence
from typing import Any

from services.booking.fhir.desk import Desk
from services.booking.fhir.entries import Read, Write, interaction_of
from services.booking.fhir.http import preferred
from services.booking.fhir.interactions import Answer, Ask
from services.booking.fhir.outcomes import InEntry, operation_outcome, outcome_of
from services.booking.fhir.resources import Json
from services.booking.fhir.shapes import Bundle, Entry, shaped
from services.booking.fhir.writing import Prepared, carry_out, with_alternatives
from shared.audit import Also
from shared.database import FAULTS, is_ours
from shared.http import as_refusal
from shared.refusals import Conflict, Refusal

MOST_ENTRIES = 50
_TRIES = 3
"""How often a transaction is prepared anew when another request was faster with what may be booked but once."""


async def process(desk: Desk, ask: Ask, trail: list[Also]) -> Answer:
    """The Bundle's answer. Each entry leaves its own line in the trail."""
    bundle = shaped(ask.body, Bundle)
    if bundle.type not in ("batch", "transaction"):
        why = "Only a batch or a transaction can be carried out"
        raise Refusal(why, code="invalid-resource", where="Bundle.type")
    if len(bundle.entry) > MOST_ENTRIES:
        raise Refusal(f"{MOST_ENTRIES} entries are the most", code="too-many-entries", where="Bundle.entry")
    carry = _batch if bundle.type == "batch" else _transaction
    entries = await carry(desk, ask, bundle.entry, trail)
    answer: Json = {"resourceType": "Bundle", "type": f"{bundle.type}-response"}
    return Answer(answer | {"entry": entries} if entries else answer)


async def _batch(desk: Desk, ask: Ask, entries: Sequence[Entry], trail: list[Also]) -> list[Json]:
    """One after the other: of two that want the same slot the first gets it, and one client takes one connection."""
    answers = []
    for place, entry in enumerate(entries):
        answer, access = await _alone(desk, ask, place, entry)
        answers.append(answer)
        trail.append(access)
    return answers


async def _alone(desk: Desk, ask: Ask, place: int, entry: Entry) -> tuple[Json, Also]:
    interaction: Read | Write | None = None
    try:
        interaction = interaction_of(ask, place, entry)
        ask.caller.require(interaction.kind, interaction.action)
        answer = await _carried_out(desk, interaction)
    except (Refusal, *FAULTS) as error:
        if is_ours(error):
            raise
        refusal = as_refusal(error)
        status = outcome_of(refusal).status
        told: Json = {"response": {"status": str(status), "outcome": operation_outcome(refusal)}}
        return told, _access(interaction, status, refusal=refusal.code)
    return _told(answer), _access(interaction, answer.status, practice=answer.practice)


async def _carried_out(desk: Desk, interaction: Read | Write) -> Answer:
    ask = interaction.ask
    match interaction:
        case Read(read=read):
            return await read(desk.service, ask)
        case Write(prepare=prepare):
            return preferred(ask, await carry_out(desk, ask, await prepare(desk, ask)))


async def _transaction(desk: Desk, ask: Ask, entries: Sequence[Entry], trail: list[Also]) -> list[Json]:
    writes = _writes(ask, entries)
    answers: Sequence[Answer] = ()
    for tries_left in reversed(range(_TRIES)):
        prepared = [await _in_entry(place, each.prepare(desk, each.ask)) for place, each in enumerate(writes)]
        try:
            answers = await _together(desk, writes, prepared)
            break
        except Refusal as refused:
            if not tries_left or not _lost_once(refused, prepared):
                raise
    for write, answer in zip(writes, answers, strict=True):
        trail.append(_access(write, answer.status, practice=answer.practice))
    return [_told(preferred(ask, answer)) for answer in answers]


async def _together(desk: Desk, writes: Sequence[Write], prepared: Sequence[Prepared]) -> list[Answer]:
    """All commands in one transaction. Whose command was refused is known by its place among them."""
    turns = sorted(range(len(prepared)), key=lambda place: writes[place].turn)
    owners = [place for place in turns for _ in prepared[place].commands]
    commands = [command for place in turns for command in prepared[place].commands]
    try:
        recorded = await desk.service.executor.execute_together(commands) if commands else ()
    except Refusal as refusal:
        if refusal.command is None:
            raise
        place = owners[refusal.command]
        told = await with_alternatives(desk, writes[place].ask, prepared[place], refusal)
        raise InEntry(told, place) from None
    return [await each.finish(recorded) for each in prepared]


def _writes(ask: Ask, entries: Sequence[Entry]) -> list[Write]:
    """Raises `InEntry` for one that is none, that the caller may not do, or that is about what another is about."""
    writes: list[Write] = []
    seen: set[str] = set()
    for place, entry in enumerate(entries):
        try:
            interaction = interaction_of(ask, place, entry)
            ask.caller.require(interaction.kind, interaction.action)
            if not isinstance(interaction, Write):
                raise Refusal("A transaction writes: read in a batch", code="not-kept", where="Bundle.entry.request")
            if interaction.resource and interaction.resource in seen:
                why = "Another entry is about the same appointment"
                raise Refusal(why, code="invalid-resource", where="Bundle.entry.request.url")
        except Refusal as refusal:
            raise InEntry(refusal, place) from None
        seen.add(interaction.resource)
        writes.append(interaction)
    return writes


async def _in_entry(place: int, preparing: Awaitable[Prepared]) -> Prepared:
    try:
        return await preparing
    except Refusal as refusal:
        raise InEntry(refusal, place) from None


def _lost_once(refused: Refusal, prepared: Sequence[Prepared]) -> bool:
    """Whether somebody else may just have booked what is booked but once: prepared anew, that is found."""
    told = refused.refusal if isinstance(refused, InEntry) else refused
    return isinstance(told, Conflict) and any(each.once for each in prepared)


def _told(answer: Answer) -> Json:
    headers = {name.lower(): value for name, value in answer.headers.items()}
    response = {"status": str(answer.status), "location": headers.get("location"), "etag": headers.get("etag")}
    entry: Json = {"response": {name: value for name, value in response.items() if value}}
    resource: Any = answer.resource
    if resource is not None and resource["resourceType"] == "OperationOutcome":
        entry["response"]["outcome"] = resource
    elif resource is not None:
        entry["resource"] = resource
    return entry


def _access(interaction: Read | Write | None, status: int, *, practice: str = "", refusal: str = "") -> Also:
    if interaction is None:
        return Also("", "", status, refusal=refusal)
    return Also(interaction.method, interaction.route, status, interaction.resource, practice, refusal)
