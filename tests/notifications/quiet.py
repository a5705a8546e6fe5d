"""Notifications at night, when nothing is sent: each message stands as a test says it does."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from httpx import AsyncClient, Response

from services.notifications.app import create
from services.notifications.commands import (
    AttemptSend,
    Command,
    PlanMessage,
    RecordReply,
    RecordUnmatchedReply,
    Subject,
)
from services.notifications.replies import ReplyText
from services.notifications.wording import Text
from shared.events.booking import AppointmentBooked, Patient, PracticeRegistered
from shared.events.notifications import Answer, MessageKind
from shared.seal import PatientBlock
from shared.service import Running
from tests.harness import County
from tests.issuer import bearer
from tests.notifications.diary import Diary
from tests.notifications.sandbox import KEY, TOKEN

NIGHT = datetime(2024, 7, 22, 22, 0, tzinfo=UTC)
TOMORROW = datetime(2024, 7, 23, 9, 0, tzinfo=UTC)
A, B = "G82002", "G82003"
MOBILE = "+447700900123"
NHS_NUMBER = "9990000018"
LETTER = "Dear Ann, your appointment is on Tuesday. Reply 1, 2 or 3"

_numbers = count(1)


@dataclass(frozen=True, slots=True)
class Written:
    """A message that stands in the ledger, and the pseudonyms in it."""

    message: str
    about: Subject
    number: str


@dataclass(frozen=True, slots=True)
class Quiet:
    """The service, and how an operator (`http`) or a practice asks it."""

    county: County
    running: Running
    http: AsyncClient
    diary: Diary
    booked: dict[str, str] = field(default_factory=dict)

    async def ask(
        self, method: str, path: str, *, practice: str = "", scope: str = "system/*.cruds", **send: Any
    ) -> Response:
        """Ask as an operator, or as a practice's own system."""
        shown = bearer(self.county.token(practice, scope=scope)) if practice else {}
        return await self.http.request(method, path, headers=shown, **send)

    async def get(self, path: str, **who: Any) -> Any:
        answer = await self.ask("GET", path, **who)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def do(self, *commands: Command) -> None:
        for command in commands:
            await self.running.executor.execute(command)

    async def write(
        self,
        outage: str = "",
        *,
        kind: MessageKind = "moved",
        practice: str = A,
        mobile: str = MOBILE,
        nhs_number: str = NHS_NUMBER,
        start: datetime = TOMORROW,
        segments: int = 1,
    ) -> Written:
        """A message about an appointment of its own is planned."""
        name = f"{next(_numbers):04}"
        patient = self.running.keys.pseudonym("patient", nhs_number)
        key = (await self.running.keys.ensure({patient}))[patient]
        about = Subject(practice, patient, f"appointment-{name}", f"move-{name}", outage)
        sealed = key.seal(PatientBlock(nhs_number=nhs_number, given_name="Ann", mobile=mobile))
        await self.diary.publish([_booked(about, sealed, start)])
        number = self.running.keys.pseudonym("number", mobile)
        text = key.seal(Text(mobile, LETTER))
        await self.do(PlanMessage(f"message-{name}", about, kind, number, text, segments, start))
        await self.county.caught_up()
        return Written(f"message-{name}", about, number)

    async def tried(self, written: Written, attempt: int = 1, provider: str = "notify") -> Written:
        """It has been claimed for this provider."""
        await self.do(AttemptSend(written.message, written.number, attempt, provider))
        return written

    async def answered(self, written: Written, reply: str, answer: Answer, words: str) -> None:
        """The patient wrote this in answer to it."""
        key = (await self.running.keys.find({written.about.patient}))[written.about.patient]
        await self.do(RecordReply(written.message, reply, answer, key.seal(ReplyText(words)), number=written.number))

    async def unmatched(self, reply: str, words: str, *candidates: Written, mobile: str = MOBILE) -> None:
        """Somebody wrote this, and no rule can say what it answers."""
        number = self.running.keys.pseudonym("number", mobile)
        sealed = (await self.running.keys.ensure({number}))[number].seal(ReplyText(words))
        practices = tuple(sorted({each.about.practice for each in candidates}))
        ids = tuple(each.message for each in candidates)
        await self.do(RecordUnmatchedReply(number, reply, ids, sealed, practices))


@asynccontextmanager
async def quiet(county: County) -> AsyncIterator[Quiet]:
    """Two practices, at ten in the evening; the provider cannot be reached, and is not asked."""
    county.clock_at(NIGHT)
    given: dict[str, Any] = {
        "gateway_key": KEY,
        "callback_token": TOKEN,
        "gateway_url": "http://127.0.0.1:9",
        "reminders": False,
    }
    async with county.client(create, **given) as http:
        (running,) = county.at_work
        diary = Diary(county, running)
        await diary.publish(
            [PracticeRegistered(practice=A, name="Harbour Surgery"), PracticeRegistered(practice=B, name="Mill Lane")]
        )
        await county.caught_up()
        yield Quiet(county, running, http, diary)


def _booked(about: Subject, sealed: str, start: datetime) -> AppointmentBooked:
    return AppointmentBooked(
        session=f"session of {about.appointment}",
        practice=about.practice,
        appointment=about.appointment,
        slots=(f"slot of {about.appointment}",),
        start=start,
        minutes=10,
        patient=Patient(id=about.patient, sealed=sealed),
        details="",
        textable=True,
        booked_at=NIGHT - timedelta(hours=14),
    )
