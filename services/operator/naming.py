"""What several commands name in the same way: an outage, a practice, whoever says so, and a file to write."""

import getpass
import os
from pathlib import Path
from typing import Annotated, Any

import typer

from services.operator.asking import ask
from services.operator.screen import out
from services.operator.settings import OperatorSettings
from shared.clock import parse_instant
from shared.refusals import NotFound, Refusal

OutageId = Annotated[
    str, typer.Argument(help="The outage, or the withdrawal of a session; may be left out while there is only one.")
]
By = Annotated[str, typer.Option("--by", help="Who says so, if not the user of this machine.")]
AtPractice = Annotated[str, typer.Option("--practice", metavar="ODS", help="This practice alone.")]


def who(by: str) -> str:
    """Who says so."""
    return by.strip() or getpass.getuser()


def outage_path(settings: OperatorSettings, outage: str) -> str:
    """The address of this outage, or of the only one."""
    return f"/v1/outages/{outage or _only_outage(settings)}"


def practice_path(settings: OperatorSettings, outage: str, practice: str) -> str:
    """The address of what this outage is at one practice."""
    return f"{outage_path(settings, outage)}/practices/{ods_code(practice)}"


def ods_code(text: str) -> str:
    """The code as it stands in addresses and names of folders."""
    code = text.strip().upper()
    if not (code.isascii() and code.isalnum()):
        raise Refusal(f"“{text}” is not an ODS code: letters and digits", code="bad-ods-code", where="ODS")
    return code


def instant(text: str, option: str) -> str:
    """A date and time as the services read it. Raises `Refusal`, naming the option."""
    try:
        return parse_instant(text).isoformat()
    except Refusal as refusal:
        raise Refusal(f"{option}: {refusal.message}", code=refusal.code, where=option) from None


def thing_id(text: str, what: str) -> str:
    """The id as it stands in addresses. Raises `Refusal` for what is none."""
    told = text.strip()
    if not told or not all(letter.isascii() and (letter.isalnum() or letter in "-._~:") for letter in told):
        raise Refusal(f"“{text}” is not the id of {what}", code="bad-id", where=what)
    return told


def save(file: Path, content: bytes) -> None:
    """Write the file, for the owner alone, and say so: it may name patients."""
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    except OSError as problem:
        raise Refusal(f"{file} cannot be written: {problem.strerror}", code="unwritable", where=str(file)) from None
    with open(descriptor, "wb") as opened:
        opened.write(content)
    out().print(f"{file} is written.", soft_wrap=True, markup=False)


def _only_outage(settings: OperatorSettings) -> str:
    """A withdrawal is meant only where there is no outage."""
    known: list[dict[str, Any]] = ask(settings, "rebooking", "GET", "/v1/outages")
    outages = [each for each in known if each["kind"] == "outage"] or known
    match outages:
        case []:
            raise NotFound("no outage has been declared", code="no-outage", where="OUTAGE")
        case [only]:
            return str(only["outage"])
        case _:
            names = ", ".join(f"{each['outage']} ({each['name']})" for each in outages)
            raise Refusal(f"there are several outages, so say which: {names}", code="which-outage", where="OUTAGE")
