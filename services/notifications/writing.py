"""Writes what a patient is told, sealed for them alone; or says why no text can tell them."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from services.notifications.addressees import Addressee
from services.notifications.commands import PlanMessage, Subject
from services.notifications.content_rules import faults_of_text
from services.notifications.replies import code_of
from services.notifications.segments import size
from services.notifications.settings import NotificationsSettings, own_settings
from services.notifications.templating import load
from services.notifications.wording import Notice, Text, Wordings
from shared.events.notifications import MessageKind
from shared.phone import textable
from shared.refusals import Refusal
from shared.seal import DataKey, Keys, PatientBlock, opened
from shared.service import Running

ERASED = "The patient's data was erased"
NO_MOBILE = "There is no mobile number that can be texted"


@dataclass(frozen=True, slots=True)
class Recipient:
    """Whom a text is for. `number` is the pseudonym of `mobile`."""

    first_name: str
    mobile: str
    number: str
    key: DataKey


@dataclass(frozen=True, slots=True)
class Untold:
    """No text can tell this patient, and why."""

    reason: str


@dataclass(frozen=True, slots=True)
class Letter:
    """A message still to be written."""

    message: str
    kind: MessageKind
    about: Subject
    coded: bool = False


@dataclass(frozen=True, slots=True)
class Writer:
    """What texts are written with."""

    wordings: Wordings
    keys: Keys
    made_up: bool

    def recipient(self, addressee: Addressee, key: DataKey | None, mobile: str = "") -> Recipient | Untold:
        """Who the patient of this appointment is, and the telephone that they are written to at: theirs, or this."""
        patient = opened(key, addressee.sealed, PatientBlock)
        if key is None or patient is None:
            return Untold(ERASED)
        try:
            number = textable(mobile or patient.mobile, made_up=self.made_up)
        except Refusal:
            return Untold(NO_MOBILE)
        return Recipient(patient.given_name, number, self.keys.pseudonym("number", number), key)

    def write(self, letter: Letter, addressee: Addressee, to: Recipient) -> PlanMessage | Untold:
        """The message in words; but none that breaks a rule because of a name in it."""
        code = f" {code_of(letter.message)}" if letter.coded else ""
        notice = Notice(to.first_name, addressee.practice_name, addressee.start, addressee.place, code)
        body = self.wordings.write(letter.kind, notice)
        its = size(body)
        if faults := faults_of_text(body, its):
            return Untold(f"The text may not be sent: {faults[0]}")
        return PlanMessage(
            message=letter.message,
            about=letter.about,
            kind=letter.kind,
            number=to.number,
            sealed=to.key.seal(Text(to=to.mobile, body=body)),
            segments=its.segments,
            appointment_start=addressee.start,
        )


def writer_of(running: Running) -> Writer:
    """What this service writes with."""
    settings = own_settings(running.settings)
    return Writer(wordings_of(settings), running.keys, settings.made_up_numbers)


def wordings_of(settings: NotificationsSettings) -> Wordings:
    """The wording that these settings name, read once. Raises `Refusal` if it breaks a rule."""
    return _loaded(settings.templates, settings.language)


@cache
def _loaded(directory: Path | None, language: str) -> Wordings:
    return load(directory, language)
