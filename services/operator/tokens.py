"""`daybook token`: a token for a practice system, for another organisation or for an operator, on this machine."""

import re
from dataclasses import replace
from datetime import timedelta
from typing import Annotated

import typer

from services.operator.bearer import OPERATOR_SCOPE
from services.operator.issuing import Holder, issuer_of, published_keys
from services.operator.screen import AsJson, show_json
from services.operator.settings import operator_settings
from shared.access import is_scope, scope_words
from shared.clock import Clock
from shared.refusals import Refusal

PRACTICE, OTHER = "gp-practice", "urgent-care"
LONGEST = 365 * 24
"""Hours."""
LONGEST_NAME = 128

_ODS_CODE = re.compile(r"[A-Z0-9]{2,12}")
_TYPE = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_PRACTICE_SCOPE = " ".join((scope_words(["Slot"], "rs"), scope_words(["Schedule", "Appointment"], "cruds")))
_OTHER_SCOPE = " ".join((scope_words(["Slot", "Schedule"], "rs"), scope_words(["Appointment"], "cruds")))


def token(
    practice: Annotated[str, typer.Option(metavar="ODS", help="For the system of this practice.")] = "",
    organisation: Annotated[str, typer.Option(metavar="ODS", help="For another organisation.")] = "",
    type_: Annotated[str, typer.Option("--type", help=f"What the organisation is: nhs-111, {OTHER} … ({OTHER})")] = "",
    operator: Annotated[bool, typer.Option("--operator", help="For whoever runs Daybook for the county.")] = False,
    scope: Annotated[
        str, typer.Option(help="Other scopes than the usual: “system/Slot.rs system/Appointment.r”.")
    ] = "",
    hours: Annotated[int, typer.Option(help=f"How long it counts, at most {LONGEST:,}.")] = 12,
    client: Annotated[str, typer.Option(help="What the client is called in the audit trail.")] = "",
    json: AsJson = False,
) -> None:
    """Print a token for one of --practice, --organisation, --operator, and nothing else: TOKEN=$(daybook token …)."""
    holder = _holder(practice, organisation, type_, operator=operator)
    holder = replace(holder, client=_client(client) or holder.client, scope=_scope(scope) or holder.scope)
    lifetime = timedelta(hours=_hours(hours))
    settings = operator_settings()
    published_keys(settings.home)
    issued = issuer_of(settings.home, settings.given).issue(holder, Clock().now(), lifetime)
    show_json(_facts(holder, issued, lifetime)) if json else typer.echo(issued)


def practice_holder(practice: str) -> Holder:
    """A practice's own system, with all that such a system may do."""
    return Holder(f"practice-{practice}", _PRACTICE_SCOPE, practice, PRACTICE)


def _holder(practice: str, organisation: str, type_: str, *, operator: bool) -> Holder:
    if [bool(practice), bool(organisation), operator].count(True) != 1:
        raise Refusal(
            "say whom the token is for: one of --practice ODS, --organisation ODS and --operator", code="for-whom"
        )
    if type_ and not organisation:
        raise Refusal("--type is for an --organisation only", code="bad-type", where="--type")
    if practice:
        return practice_holder(_ods_code(practice, "--practice"))
    if organisation:
        code = _ods_code(organisation, "--organisation")
        return Holder(f"organisation-{code}", _OTHER_SCOPE, code, _type(type_ or OTHER))
    return Holder("operator", OPERATOR_SCOPE)


def _ods_code(text: str, option: str) -> str:
    code = text.strip().upper()
    if not _ODS_CODE.fullmatch(code):
        raise Refusal(
            f"{option}: “{text}” is not an ODS code: 2 to 12 letters and digits", code="bad-ods-code", where=option
        )
    return code


def _type(text: str) -> str:
    if not _TYPE.fullmatch(text):
        raise Refusal(
            f"--type: “{text}” is not a type of organisation such as nhs-111 or {OTHER}",
            code="bad-type",
            where="--type",
        )
    return text


def _scope(text: str) -> str:
    scopes = text.split()
    for each in scopes:
        if not is_scope(each):
            raise Refusal(
                f"--scope: “{each}” is not a scope such as system/Slot.rs or system/Appointment.cruds (the letters in "
                "this order: create, read, update, delete, search)",
                code="bad-scope",
                where="--scope",
            )
    return " ".join(scopes)


def _client(text: str) -> str:
    name = text.strip()
    if len(name) > LONGEST_NAME or not name.isprintable():
        raise Refusal(
            f"--client: a name has at most {LONGEST_NAME} characters, all of them printable",
            code="bad-client",
            where="--client",
        )
    return name


def _hours(hours: int) -> int:
    if not 1 <= hours <= LONGEST:
        raise Refusal(f"--hours: {hours} is not between 1 and {LONGEST:,}", code="bad-hours", where="--hours")
    return hours


def _facts(holder: Holder, issued: str, lifetime: timedelta) -> dict[str, str | int]:
    """As an authorisation server would answer (RFC 6749, 5.1), and who it is for."""
    return {
        "access_token": issued,
        "token_type": "Bearer",
        "expires_in": int(lifetime.total_seconds()),
        "scope": holder.scope,
        "client": holder.client,
        "ods_code": holder.organisation,
        "organisation_type": holder.organisation_type,
    }
