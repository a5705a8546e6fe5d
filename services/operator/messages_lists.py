"""`daybook messages` to look: how a campaign stands, one message's story, and everything that one patient was told."""

import sys
from typing import Annotated, Any

import typer

from services.operator.asking import ask
from services.operator.campaign_screen import print_campaign, print_messages
from services.operator.naming import AtPractice, OutageId, ods_code, outage_path
from services.operator.screen import AsJson, show_json
from services.operator.settings import operator_settings
from services.operator.story_screen import print_story, print_told
from shared.refusals import Refusal

STATES = ("planned", "attempted", "unknown", "accepted", "silent", "delivered", "failed")

Message = Annotated[str, typer.Argument(help="The message, as `daybook messages list` names it.")]


def show(message: Message, json: AsJson = False) -> None:
    """One message from plan to outcome: every attempt, receipt, reply and call, without its words."""
    story = ask(operator_settings(), "notifications", "GET", f"/v1/messages/{message_id(message)}")
    show_json(story) if json else print_story(story)


def campaign(outage: OutageId = "", json: AsJson = False) -> None:
    """How far the texts of an outage have come: by kind, by provider, at what cost, and why some did not arrive."""
    settings = operator_settings()
    found = ask(settings, "notifications", "GET", f"{outage_path(settings, outage)}/messages")
    show_json(found) if json else print_campaign(found)


def list_messages(
    outage: OutageId = "",
    state: Annotated[str, typer.Option(metavar="|".join(STATES), help="Only those in this state.")] = "",
    practice: AtPractice = "",
    limit: Annotated[int, typer.Option(min=1, max=500, help="At most so many.")] = 100,
    after: Annotated[str, typer.Option(metavar="MESSAGE", help="What the list before ended with.")] = "",
    json: AsJson = False,
) -> None:
    """Each message of an outage, the soonest appointment first."""
    if state and state not in STATES:
        raise Refusal(f"“{state}” is none of {', '.join(STATES)}", code="bad-state", where="--state")
    settings = operator_settings()
    said = {"state": state, "practice": ods_code(practice) if practice else "", "after": after, "limit": str(limit)}
    query = {name: value for name, value in said.items() if value}
    found = ask(settings, "notifications", "GET", f"{outage_path(settings, outage)}/messages/list", params=query)
    show_json(found) if json else print_messages(found)


def patient(
    nhs_number: Annotated[
        str, typer.Option("--nhs-number", metavar="-", help="`-` reads it from standard input; else it is asked for.")
    ] = "",
    json: AsJson = False,
) -> None:
    """Everything that one patient was sent and answered, with its words. That you looked is written into the trail."""
    body = {"nhs_number": _nhs_number(nhs_number)}
    told = ask(operator_settings(), "notifications", "POST", "/v1/patients/messages", json=body)
    show_json(told) if json else print_told(told)


def _nhs_number(said: str) -> str:
    """What stands in a command, everybody on the machine can read, and the shell remembers."""
    match said:
        case "":
            typed: Any = typer.prompt("NHS number", hide_input=True, err=True)
            return str(typed).strip()
        case "-":
            return sys.stdin.readline().strip()
        case _:
            raise Refusal(
                "an NHS number must not stand in a command: leave it out to be asked, or give it on standard input",
                code="not-on-the-command-line",
                where="--nhs-number",
            )


def message_id(text: str) -> str:
    """The id as it stands in addresses. Raises `Refusal` for what is none."""
    told = text.strip()
    if not told or not all(letter.isalnum() or letter in "-._" for letter in told):
        raise Refusal(f"“{text}” is not the id of a message or reply", code="bad-id")
    return told
