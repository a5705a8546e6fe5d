"""What the peer takes: FHIR's Appointment as pydantic models, with the rules that can be checked without the tables."""

import re
from datetime import date
from typing import Annotated, Any, Literal, Self

import phonenumbers
from nhs_number.validate import is_valid
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, model_validator

NHS_NUMBER = "https://fhir.nhs.uk/Id/nhs-number"
_MADE_UP = re.compile(r"(\+44|0)\s?(7700 ?900 ?\d{3}|7698 ?\d{6})")
"""Numbers that cannot be anyone's, which Daybook lets pass here too."""


def _telephone(text: str) -> str:
    """As E.164."""
    if _MADE_UP.fullmatch(text):
        return "+44" + re.sub(r"\s", "", text).removeprefix("+44").removeprefix("0")
    try:
        number = phonenumbers.parse(text, "GB")
    except phonenumbers.NumberParseException:
        raise ValueError("this is not a telephone number") from None
    if not phonenumbers.is_possible_number(number):
        raise ValueError("this is not a telephone number")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


class Shape(BaseModel):
    """An element of a resource; what it does not name is refused, since it would be lost."""

    model_config = ConfigDict(extra="forbid")


class Identifier(Shape):
    system: str
    value: str


class HumanName(Shape):
    family: str = Field(min_length=1)
    given: list[str] = Field(min_length=1)


class ContactPoint(Shape):
    system: Literal["phone", "sms"]
    value: Annotated[str, AfterValidator(_telephone)]
    use: str = ""


class Patient(Shape):
    resourceType: Literal["Patient"]
    id: str
    identifier: list[Identifier] = Field(min_length=1, max_length=1)
    name: list[HumanName] = Field(min_length=1)
    telecom: list[ContactPoint] = []
    birthDate: date

    @model_validator(mode="after")
    def _has_an_nhs_number(self) -> Self:
        found = self.identifier[0]
        if found.system != NHS_NUMBER or len(found.value) != 10 or not is_valid(found.value):
            raise ValueError("the NHS number is wrong")
        return self


class Reference(Shape):
    reference: str

    @property
    def id(self) -> str:
        return self.reference.rpartition("/")[2]


class Participant(Shape):
    actor: Reference
    status: str


class Appointment(Shape):
    """An Appointment that asks to be booked."""

    resourceType: Literal["Appointment"]
    contained: list[Patient] = Field(min_length=1, max_length=1)
    status: Literal["booked"]
    description: str = Field("", max_length=100)
    comment: str = Field("", max_length=500)
    priority: int = Field(0, ge=0, le=9)
    start: AwareDatetime
    end: AwareDatetime
    minutesDuration: int | None = None
    slot: list[Reference] = Field(min_length=1)
    created: Any = None
    participant: list[Participant] = Field(min_length=1)

    @model_validator(mode="after")
    def _adds_up(self) -> Self:
        if not any(participant.actor.reference == f"#{self.contained[0].id}" for participant in self.participant):
            raise ValueError("one participant must refer to the contained patient")
        if self.minutesDuration not in (None, (self.end - self.start).total_seconds() / 60):
            raise ValueError("the duration is not that from start to end")
        return self
