"""Reads who is contained in an Appointment: the patient it is for, and the organisation that books it."""

from collections.abc import Sequence
from dataclasses import dataclass

from services.booking import patients
from services.booking.fhir.resources import NHS_NUMBER, ODS_CODE
from services.booking.fhir.shapes import Appointment, Contact, HumanName, Identifier, Narrative, Organization, Patient
from shared.nhs import nhs_number
from shared.refusals import Refusal
from shared.seal import PatientBlock

_LONGEST_ORGANISATION = 200
_LONGEST_TELEPHONE = 50


@dataclass(frozen=True, slots=True)
class Booker:
    """The organisation that says it books: ODS code, type, name, and telephone as it was written."""

    code: str = ""
    type: str = ""
    name: str = ""
    telephone: str = ""


def read_patient(sent: Appointment, *, made_up: bool) -> tuple[PatientBlock, bool]:
    """The one contained Patient, and whether they can be texted."""
    found = [(place, each) for place, each in enumerate(sent.contained) if isinstance(each, Patient)]
    if len(found) != 1:
        why = "The patient must be contained in the appointment, and nobody else"
        raise Refusal(why, code="invalid-resource", where="Appointment.contained")
    where, patient = f"Appointment.contained[{found[0][0]}]", found[0][1]
    check_narrative(patient.text, where)
    name = _name(patient.name, f"{where}.name")
    mobile, textable = _telephone(patient.telecom, f"{where}.telecom", made_up=made_up)
    block = PatientBlock(
        nhs_number=_nhs_number(patient.identifier, f"{where}.identifier"),
        given_name=patients.name(" ".join(name.given), f"{where}.name[0].given"),
        family_name=patients.name(name.family, f"{where}.name[0].family"),
        birth_date=patients.birth_date(patient.birth_date, f"{where}.birthDate"),
        mobile=mobile,
    )
    return block, textable


def patient_id(sent: Appointment) -> str:
    """The id by which participants refer to the contained Patient; empty if there is none."""
    return next((each.id for each in sent.contained if isinstance(each, Patient)), "")


def read_booker(sent: Appointment) -> Booker:
    """The contained Organization, if there is one (GP Connect's BookingOrganisation)."""
    found = [(place, each) for place, each in enumerate(sent.contained) if isinstance(each, Organization)]
    if not found:
        return Booker()
    place, organisation = found[0]
    where = f"Appointment.contained[{place}]"
    if len(found) > 1:
        raise Refusal("One organisation books an appointment", code="invalid-resource", where="Appointment.contained")
    check_narrative(organisation.text, where)
    return Booker(
        code=_ods_code(organisation.identifier, f"{where}.identifier"),
        type=_type(organisation, f"{where}.type"),
        name=_short(organisation.name, _LONGEST_ORGANISATION, f"{where}.name"),
        telephone=_organisation_telephone(organisation.telecom, f"{where}.telecom"),
    )


def is_system(identifier: Identifier, system: str) -> bool:
    """Whether the identifier is of this system; national examples write “/id/” as well as “/Id/”."""
    return identifier.system.replace("/id/", "/Id/") == system


def check_narrative(narrative: Narrative | None, where: str) -> None:
    """Raises `Refusal` for a narrative that says more than the elements do: it would be lost."""
    if narrative is not None and narrative.status not in ("generated", "extensions", "empty"):
        raise Refusal("Daybook keeps no words beside the elements", code="not-kept", where=f"{where}.text")


def _name(names: Sequence[HumanName], where: str) -> HumanName:
    if len(names) != 1:
        raise _invalid("Daybook keeps one name of a patient: the official one", where)
    name = names[0]
    if name.use not in ("", "official", "usual"):
        raise _invalid("The name must be the official or the usual one", f"{where}[0].use")
    if name.text not in ("", f"{' '.join(name.given)} {name.family}"):
        raise Refusal("Daybook keeps given and family names", code="not-kept", where=f"{where}[0].text")
    return name


def _nhs_number(identifiers: Sequence[Identifier], where: str) -> str:
    if len(identifiers) != 1 or not is_system(identifiers[0], NHS_NUMBER):
        raise Refusal(
            f"The patient needs one identifier, and it must be of {NHS_NUMBER}",
            code="bad-identifier-system",
            where=where,
        )
    try:
        return nhs_number(identifiers[0].value)
    except Refusal as wrong:
        raise Refusal(wrong.message, code=wrong.code, where=f"{where}[0].value") from None


def _telephone(telecom: Sequence[Contact], where: str, *, made_up: bool) -> tuple[str, bool]:
    if not telecom:
        return "", False
    _check_contact(telecom, where)
    if not telecom[0].value.strip():
        raise Refusal("This is not a telephone number", code="bad-telephone", where=f"{where}[0].value")
    return patients.telephone(telecom[0].value, made_up=made_up, where=f"{where}[0].value")


def _organisation_telephone(telecom: Sequence[Contact], where: str) -> str:
    if not telecom:
        return ""
    _check_contact(telecom, where)
    return _short(telecom[0].value, _LONGEST_TELEPHONE, f"{where}[0].value")


def _check_contact(telecom: Sequence[Contact], where: str) -> None:
    """One telephone is kept. Of several, nobody here may choose; an old one must never be rung or texted."""
    if len(telecom) > 1:
        raise Refusal("Daybook keeps one telephone: send the one to use", code="not-kept", where=where)
    if telecom[0].system not in ("phone", "sms"):
        raise Refusal("Daybook keeps a telephone, nothing else", code="not-kept", where=f"{where}[0].system")
    if telecom[0].use not in ("", "home", "work", "mobile", "temp"):
        raise _invalid("The telephone must be one in use", f"{where}[0].use")


def _ods_code(identifiers: Sequence[Identifier], where: str) -> str:
    if len(identifiers) != 1 or not is_system(identifiers[0], ODS_CODE):
        raise Refusal(
            f"The booking organisation needs one identifier, and it must be of {ODS_CODE}",
            code="bad-identifier-system",
            where=where,
        )
    if not identifiers[0].value:
        raise Refusal("The ODS code is missing", code="bad-identifier-value", where=f"{where}[0].value")
    return identifiers[0].value


def _type(organisation: Organization, where: str) -> str:
    codes = {coding.code for concept in organisation.type for coding in concept.coding}
    texts = {concept.text for concept in organisation.type if concept.text}
    if len(codes) > 1 or texts:
        raise Refusal("An organisation's type is one code", code="not-kept", where=where)
    return next(iter(codes), "")


def _short(text: str, longest: int, where: str) -> str:
    if len(text) > longest:
        raise Refusal(f"The text has {len(text)} characters; {longest} is the most", code="too-long", where=where)
    return text.strip()


def _invalid(why: str, where: str) -> Refusal:
    return Refusal(why, code="invalid-resource", where=where)
