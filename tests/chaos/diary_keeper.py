"""A practice's own system: publishes sessions, extends and withdraws them, and brings over diaries."""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from services.booking.pages import session_id, slot_id
from services.operator.county_diary import DIARY_COLUMNS
from services.operator.county_people import Person
from shared.clock import LONDON
from tests.chaos import effects
from tests.chaos.asking import Client, Json, code_of

FIRST_DAY, DAYS = date(2024, 7, 24), 8
SLOTS, MINUTES = 6, 10
PAUSE = 1.2


@dataclass(frozen=True, slots=True)
class Session:
    """One that it published: its id, and when the next slot would begin."""

    id: str
    ends: datetime


@dataclass(slots=True)
class DiaryKeeper:
    """`patients` are those of the diaries that it brings over."""

    client: Client
    practice: str
    patients: Iterator[Person]
    sessions: list[Session] = field(default_factory=list)

    async def work(self) -> None:
        """For ever."""
        doing: Sequence[tuple[Callable[[], Awaitable[None]], float]] = (
            (self.publish, 40),
            (self.extend, 20),
            (self.withdraw, 20),
            (self.bring_over, 20),
        )
        while True:
            (one,) = self.client.rng.choices([one for one, _ in doing], [weight for _, weight in doing])
            await one()
            await self.client.pause(PAUSE)

    async def publish(self) -> None:
        name = self.client.number()
        starts = self._morning()
        clinician = f"Dr {name}"
        session = session_id(self.practice, name, clinician, starts[0].date())
        body = {
            "practice": self.practice,
            "name": name,
            "clinician": clinician,
            "slots": [{"start": start.isoformat(), "minutes": MINUTES} for start in starts],
        }
        with self.client.history.command(self.client.name, "publish", effects.published(session)) as command:
            await self.client.do(command, "booking", "POST", "/v1/sessions", repeat=True, json=body)
            if command.outcome == "done":
                self.sessions.append(Session(session, starts[-1] + timedelta(minutes=MINUTES)))

    async def extend(self) -> None:
        if not self.sessions:
            return
        session = self.sessions.pop(self.client.rng.randrange(len(self.sessions)))
        body = {"slots": [{"start": session.ends.isoformat(), "minutes": MINUTES}]}
        effect = effects.added(slot_id(session.id, session.ends.astimezone(UTC)))
        path = f"/v1/sessions/{session.id}/slots"
        with self.client.history.command(self.client.name, "extend", effect) as command:
            await self.client.do(command, "booking", "POST", path, repeat=True, json=body)
        self.sessions.append(Session(session.id, session.ends + timedelta(minutes=MINUTES)))

    async def withdraw(self) -> None:
        """If patients have any of it, somebody looks at whom that displaces, and says yes."""
        if not self.sessions:
            return
        session = self.sessions.pop(self.client.rng.randrange(len(self.sessions)))
        reason, path = self.client.number(), f"/v1/sessions/{session.id}/withdrawal"
        with self.client.history.command(self.client.name, "withdraw", effects.withdrawn(reason)) as command:
            body = {"reason": reason}
            answer = await self.client.do(command, "booking", "POST", path, repeat=False, json=body)
            if answer is not None and command.outcome == "refused" and code_of(answer) == "confirmation-needed":
                body["confirmation"] = answer.json()["preview"]["confirmation"]
                answer = await self.client.do(command, "booking", "POST", path, repeat=False, json=body)
            if answer is not None and command.outcome == "done" and not answer.json()["withdrawal"]:
                command.least = 0

    async def bring_over(self) -> None:
        """A day of another diary: every second slot is taken."""
        source = self.client.number()
        starts = self._morning()
        rows = [self._row(source, start, taken=place % 2 == 0) for place, start in enumerate(starts)]
        lines = [",".join(DIARY_COLUMNS), *(",".join(row[column] for column in DIARY_COLUMNS) for row in rows)]
        taken = sum(row["status"] == "booked" for row in rows)
        with self.client.history.command(self.client.name, "import", effects.imported(source), taken) as command:
            command.least = taken
            await self.client.do(
                command, "booking", "POST", "/v1/diary", repeat=True, content="\n".join(lines).encode(),
                headers={"Content-Type": "text/csv"},
            )  # fmt: skip

    def _row(self, source: str, start: datetime, *, taken: bool) -> Json:
        empty = dict.fromkeys(DIARY_COLUMNS, "")
        slot = {
            "practice": self.practice,
            "session": source,
            "clinician": f"Dr {source}",
            "service_type": "GP consultation",
            "channel": "in-person",
            "start": start.isoformat(),
            "minutes": str(MINUTES),
            "status": "booked" if taken else "free",
        }
        if not taken:
            return empty | slot
        return empty | slot | next(self.patients)._asdict() | {"description": "Skin rash", "source": source}

    def _morning(self) -> Sequence[datetime]:
        """The starts of a session on some day to come."""
        rng = self.client.rng
        day = FIRST_DAY + timedelta(days=rng.randrange(DAYS))
        first = datetime(day.year, day.month, day.day, rng.choice((8, 13, 17)), tzinfo=LONDON)
        return [first + timedelta(minutes=MINUTES * place) for place in range(SLOTS)]
