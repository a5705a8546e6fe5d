"""The peer: a booking app of FastAPI, SQLAlchemy's async ORM and PostgreSQL, which locks the slot's row to book it.

`python -m benchmarks.peers.crud` serves it, as one uvicorn process like Daybook's booking. It takes from the
environment PEER_DATABASE_URL, PEER_TOKEN_KEYS (the path of a JWKS) and PEER_PORT.
"""

import gc
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from itertools import pairwise
from typing import Annotated
from uuid import UUID

import uvicorn
from fastapi import APIRouter, Depends, FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import PlainTextResponse, Response
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import joinedload
from uuid_utils.compat import uuid7

from benchmarks.peers import answers, shapes
from benchmarks.peers.bearer import Bearer, Caller
from benchmarks.peers.models import Access, Appointment, Patient, Session, Slot
from benchmarks.peers.search import find_slots, read_search

POOL = 20
"""Connections. With 5 to 64 it books no faster, since its own process is what is busy; 20 keep its tail shortest."""

_WITH_PLACE = joinedload(Slot.session, innerjoin=True).joinedload(Session.practice, innerjoin=True)

router = APIRouter(prefix="/fhir/R4")


async def database(request: Request) -> AsyncIterator[AsyncSession]:
    """A session for the request."""
    async with request.app.state.sessions() as session:
        yield session


async def reading(request: Request) -> AsyncIterator[AsyncSession]:
    """A session for a request that changes nothing: the line in the audit trail need not wait for the disk."""
    async with request.app.state.reading_sessions() as session:
        yield session


async def caller(request: Request) -> Caller:
    """Who shows the token."""
    bearer: Bearer = request.app.state.bearer
    return bearer.caller(request.headers.get("Authorization", ""))


DatabaseDep = Annotated[AsyncSession, Depends(database)]
ReadingDep = Annotated[AsyncSession, Depends(reading)]
CallerDep = Annotated[Caller, Depends(caller)]


@router.post("/Appointment", status_code=201)
async def book(wish: shapes.Appointment, request: Request, asked_by: CallerDep, database: DatabaseDep) -> Response:
    """Book one slot, or several that adjoin, for the contained patient."""
    now = datetime.now(UTC)
    async with database.begin():
        slots = await _locked(database, wish.slot)
        _check(slots, wish, asked_by, now)
        appointment = Appointment(
            id=uuid7(),
            patient=await _patient(database, wish.contained[0]),
            slots=slots,
            status="booked",
            start=wish.start,
            end=wish.end,
            description=wish.description,
            comment=wish.comment,
            priority=wish.priority,
            booked_by=asked_by.organisation,
            created=now,
            updated=now,
        )
        database.add_all([appointment, _access(asked_by, "create", f"Appointment/{appointment.id}", 201, now)])
    headers = answers.headers(_base(request), appointment)
    return answers.FhirResponse(answers.appointment(appointment), 201, headers)


@router.get("/Slot")
async def search_slots(request: Request, asked_by: CallerDep, database: ReadingDep) -> Response:
    """Slots wholly inside at most 14 days, a page at a time, with their sessions if `_include` asks for them."""
    search = read_search(request.query_params.multi_items())
    async with database.begin():
        total, rows = await find_slots(database, search, asked_by)
        database.add(_access(asked_by, "search", "Slot", 200, datetime.now(UTC)))
    base = _base(request)
    sessions = {row.session_id: row.session for row in rows} if search.with_sessions else {}
    in_order = sorted(sessions.values(), key=lambda session: (session.start, session.id))
    return answers.FhirResponse(answers.searchset(base, total, search.links(base, total), rows, in_order))


async def _locked(database: AsyncSession, references: Sequence[shapes.Reference]) -> list[Slot]:
    """The slots, nobody else's until the transaction ends; locked in one order, so that nobody waits in a circle."""
    try:
        ids = [UUID(reference.id) for reference in references]
    except ValueError:
        raise HTTPException(422, "There is no such slot") from None
    found = await database.scalars(
        select(Slot).where(Slot.id.in_(ids)).options(_WITH_PLACE).order_by(Slot.start, Slot.id).with_for_update(of=Slot)
    )
    slots = list(found)
    if [slot.id for slot in slots] != ids:
        raise HTTPException(422, "There is no such slot")
    return slots


def _check(slots: Sequence[Slot], wish: shapes.Appointment, asked_by: Caller, now: datetime) -> None:
    practice = slots[0].session.practice
    own = asked_by.has(practice.code)
    for slot in slots:
        if slot.session_id != slots[0].session_id or slot.withdrawn or not (own or _is_open(slot, asked_by)):
            raise HTTPException(422, "There is no such slot")
    for earlier, later in pairwise(slots):
        if earlier.end != later.start or earlier.channel != later.channel:
            raise HTTPException(422, "The slots do not adjoin")
    if (wish.start, wish.end) != (slots[0].start, slots[-1].end):
        raise HTTPException(422, "The times are not those of the slots")
    if slots[0].start <= now:
        raise HTTPException(422, "The slot has begun already")
    if practice.frozen:
        raise HTTPException(409, "The practice takes no new appointments while its systems are down")
    if any(slot.appointment_id is not None for slot in slots):
        raise HTTPException(409, "The slot has been taken")


def _is_open(slot: Slot, asked_by: Caller) -> bool:
    if slot.kept_for == "nhs-111":
        return asked_by.organisation_type == "nhs-111"
    return slot.kept_for == "anyone" and slot.session.practice.open


async def _patient(database: AsyncSession, sent: shapes.Patient) -> Patient:
    nhs_number = sent.identifier[0].value
    known = await database.scalar(select(Patient).where(Patient.nhs_number == nhs_number))
    return known or Patient(
        nhs_number=nhs_number,
        given_name=" ".join(sent.name[0].given),
        family_name=sent.name[0].family,
        birth_date=sent.birthDate,
        mobile=sent.telecom[0].value if sent.telecom else "",
    )


def _access(asked_by: Caller, interaction: str, resource: str, outcome: int, now: datetime) -> Access:
    return Access(
        at=now,
        client=asked_by.client,
        organisation=asked_by.organisation,
        interaction=interaction,
        resource=resource,
        outcome=outcome,
    )


def _base(request: Request) -> str:
    return f"{str(request.base_url).rstrip('/')}/fhir/R4"


def create(database_url: str, token_keys: str) -> FastAPI:
    """The app. `database_url` is a `postgresql+asyncpg://` URL, `token_keys` the path of a JWKS."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        unhurried = {"server_settings": {"synchronous_commit": "off"}}
        engine = create_async_engine(database_url, pool_size=POOL, max_overflow=0)
        reading_engine = create_async_engine(database_url, pool_size=POOL, max_overflow=0, connect_args=unhurried)
        app.state.sessions = async_sessionmaker(engine, expire_on_commit=False)
        app.state.reading_sessions = async_sessionmaker(reading_engine, expire_on_commit=False)
        app.state.bearer = Bearer.reading(token_keys)
        yield
        await engine.dispose()
        await reading_engine.dispose()

    app = FastAPI(title="Peer", lifespan=lifespan)
    app.include_router(router)
    app.add_api_route("/livez", _alive)
    app.add_exception_handler(HTTPException, _refused)
    app.add_exception_handler(RequestValidationError, _malformed)
    app.add_exception_handler(IntegrityError, _lost_race)
    return app


async def _alive() -> Response:
    return PlainTextResponse("alive\n")


async def _refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return answers.FhirResponse(answers.outcome("processing", error.detail), error.status_code)


async def _malformed(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    where = ".".join(str(part) for part in error.errors()[0]["loc"])
    return answers.FhirResponse(answers.outcome("invalid", f"{where}: {error.errors()[0]['msg']}"), 422)


async def _lost_race(_: Request, __: Exception) -> Response:
    return answers.FhirResponse(answers.outcome("conflict", "Somebody else was faster"), 409)


if __name__ == "__main__":
    app = create(os.environ["PEER_DATABASE_URL"], os.environ["PEER_TOKEN_KEYS"])
    # As Daybook's services do.
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)
    uvicorn.run(
        app,
        port=int(os.environ["PEER_PORT"]),
        log_config=None,
        access_log=False,
    )
