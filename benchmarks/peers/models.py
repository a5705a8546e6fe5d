"""The peer's tables, mapped as SQLAlchemy's documentation does it: the rows are the truth, and change in place."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index
from sqlalchemy.dialects.postgresql import TIMESTAMP
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship
from uuid_utils.compat import uuid7

Instant = TIMESTAMP(timezone=True)


class Base(DeclarativeBase):
    """All tables of the peer."""


class Practice(Base):
    """A surgery. `open` says whether other organisations may book what is kept for anyone."""

    __tablename__ = "practice"

    code: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    frozen: Mapped[bool] = mapped_column(default=False)
    open: Mapped[bool] = mapped_column(default=False)


class Session(Base):
    """One clinician's morning or afternoon."""

    __tablename__ = "session"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    practice_code: Mapped[str] = mapped_column(ForeignKey("practice.code"))
    name: Mapped[str]
    clinician: Mapped[str]
    clinician_role: Mapped[str]
    location: Mapped[str]
    start: Mapped[datetime] = mapped_column(Instant)
    end: Mapped[datetime] = mapped_column(Instant)

    practice: Mapped[Practice] = relationship()


class Slot(Base):
    """A stretch of a session that one appointment can take; free while `appointment_id` is null."""

    __tablename__ = "slot"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    session_id: Mapped[UUID] = mapped_column(ForeignKey("session.id"), index=True)
    practice_code: Mapped[str] = mapped_column(ForeignKey("practice.code"))
    start: Mapped[datetime] = mapped_column(Instant)
    end: Mapped[datetime] = mapped_column(Instant)
    channel: Mapped[str]
    service_type: Mapped[str]
    kept_for: Mapped[str]
    withdrawn: Mapped[bool] = mapped_column(default=False)
    appointment_id: Mapped[UUID | None] = mapped_column(ForeignKey("appointment.id"))

    session: Mapped[Session] = relationship()

    __table_args__: tuple[Any, ...] = (Index("slot_practice_start", "practice_code", "start"),)


class Patient(Base):
    """A patient, in plain text."""

    __tablename__ = "patient"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    nhs_number: Mapped[str] = mapped_column(unique=True)
    given_name: Mapped[str]
    family_name: Mapped[str]
    birth_date: Mapped[date]
    mobile: Mapped[str]


class Appointment(Base):
    """A patient's claim on one or more slots. SQLAlchemy counts `version` up with every change."""

    __tablename__ = "appointment"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patient.id"), index=True)
    status: Mapped[str]
    start: Mapped[datetime] = mapped_column(Instant)
    end: Mapped[datetime] = mapped_column(Instant)
    description: Mapped[str]
    comment: Mapped[str]
    priority: Mapped[int]
    booked_by: Mapped[str]
    created: Mapped[datetime] = mapped_column(Instant)
    updated: Mapped[datetime] = mapped_column(Instant)
    version: Mapped[int] = mapped_column()

    patient: Mapped[Patient] = relationship()
    slots: Mapped[list[Slot]] = relationship(order_by=Slot.start)

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 (as SQLAlchemy documents it)


class Access(Base):
    """The audit trail: who did what, and what came of it."""

    __tablename__ = "access"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    at: Mapped[datetime] = mapped_column(Instant)
    client: Mapped[str]
    organisation: Mapped[str]
    interaction: Mapped[str]
    resource: Mapped[str]
    outcome: Mapped[int]
