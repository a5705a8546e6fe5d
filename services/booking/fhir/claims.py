"""What a booking says of its slots, which know it better: kept with the slots, and refused if they say otherwise."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.booking.fhir.contained import is_system, patient_id
from services.booking.fhir.resources import DELIVERY_CHANNEL, GP_CONNECT_DELIVERY_CHANNEL, NHS_NUMBER, Json
from services.booking.fhir.shapes import Appointment, Concept, Extension, Participant, Reference, plain
from shared.refusals import Refusal


@dataclass(frozen=True, slots=True)
class Claims:
    """Participants beside the patient (by their place), texts by element, and delivery channels."""

    actors: Mapping[int, Json]
    texts: Mapping[str, Sequence[str]]
    channels: Sequence[str]

    def __bool__(self) -> bool:
        return bool(self.actors or self.channels or any(self.texts.values()))


NONE = Claims({}, {}, ())


def read_claims(sent: Appointment, nhs_number: str) -> Claims:
    """All that is claimed. The patient, if there is one, must take part, and be who they are said to be."""
    actors = {place: _actor(place, participant) for place, participant in enumerate(sent.participant)}
    mine = _patients(sent, actors, nhs_number) if nhs_number else set()
    return Claims(
        actors={place: plain(actor) for place, actor in actors.items() if place not in mine},
        texts={
            "serviceType": _texts("serviceType", sent.service_type),
            "serviceCategory": _texts("serviceCategory", sent.service_category),
        },
        channels=[_channel(place, each) for place, each in enumerate(sent.extension) if each.url in _CHANNELS],
    )


def check(claims: Claims, appointment: Json) -> None:
    """Raises `Refusal` that names the claim which the appointment, as Daybook would give it back, does not bear out."""
    have = [participant["actor"] for participant in appointment["participant"]]
    for place, actor in claims.actors.items():
        if not any(_within(actor, other) for other in have):
            why = "This is not the practice, nor whoever has the session: leave out whom the slot knows already"
            raise _refused(f"participant[{place}].actor", why, "unknown-reference")
    for element, texts in claims.texts.items():
        if texts and list(texts) != [concept.get("text") for concept in appointment.get(element, [])]:
            raise _refused(element, "The slot is for something else", "differs-from-slot")
    channels = {each.get("valueCode") for each in appointment["extension"] if each["url"] in _CHANNELS}
    if not channels.issuperset(claims.channels):
        raise _refused("extension", "The slot has another delivery channel", "differs-from-slot")


_CHANNELS = (DELIVERY_CHANNEL, GP_CONNECT_DELIVERY_CHANNEL)


def _patients(sent: Appointment, actors: Mapping[int, Reference], nhs_number: str) -> set[int]:
    contained = patient_id(sent)
    mine = {place for place, actor in actors.items() if contained and actor.reference == f"#{contained}"}
    if len(mine) != 1:
        raise _refused("participant", "One participant must refer to the contained patient")
    for place in mine:
        known = actors[place].identifier
        if known and not (is_system(known, NHS_NUMBER) and known.value == nhs_number):
            raise _refused(f"participant[{place}].actor.identifier", "This is not the contained patient's NHS number")
    return mine


def _actor(place: int, participant: Participant) -> Reference:
    where = f"participant[{place}]"
    if participant.actor is None:
        raise _refused(f"{where}.actor", "A participant has an actor")
    if participant.status not in ("accepted", "needs-action"):
        raise _refused(f"{where}.status", "Whoever takes part in a booking accepts it, with status “accepted”")
    if participant.required != "required":
        raise _refused(f"{where}.required", "All who take part are required", "not-kept")
    return participant.actor


def _texts(element: str, concepts: Sequence[Concept]) -> list[str]:
    if any(concept.coding for concept in concepts):
        raise _refused(element, "Daybook knows this by its text, not by codes", "not-kept")
    return [concept.text for concept in concepts]


def _channel(place: int, extension: Extension) -> str:
    concept = extension.value_codeable_concept or Concept()
    codes = {coding.code for coding in concept.coding} | ({extension.value_code} - {None})
    if len(codes) != 1:
        raise _refused(f"extension[{place}]", "A delivery channel is one code")
    return str(codes.pop())


def _within(sent: Any, have: Any) -> bool:
    """Whether all that was sent is so; “/id/” is taken for “/Id/”."""
    if isinstance(sent, dict):
        return isinstance(have, dict) and all(_within(value, have.get(name)) for name, value in sent.items())
    return isinstance(sent, str) and sent.replace("/id/", "/Id/") == have


def _refused(element: str, why: str, code: str = "invalid-resource") -> Refusal:
    return Refusal(why, code=code, where=f"Appointment.{element}")
