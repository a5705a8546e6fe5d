"""`daybook messages` to work: outcomes that nobody knows, and replies that nobody but a person can place."""

from typing import Annotated, Any

import typer

from services.operator.asking import ask
from services.operator.messages_lists import Message, message_id
from services.operator.naming import By, who
from services.operator.screen import AsJson, out, show_json
from services.operator.settings import operator_settings
from services.operator.worklist_screen import print_replies, print_unknown
from shared.refusals import Refusal

ANSWERS = ("keep", "another-time", "cancel", "stop", "wrong-number", "nothing")


def unknown(json: AsJson = False) -> None:
    """The messages of which nobody knows whether they were sent, the soonest appointment first."""
    found = ask(operator_settings(), "notifications", "GET", "/v1/unknown")
    show_json(found) if json else print_unknown(found)


def settle(
    message: Message,
    sent: Annotated[
        bool | None, typer.Option("--sent/--not-sent", help="Whether the provider has it.", show_default=False)
    ] = None,
    by: By = "",
    json: AsJson = False,
) -> None:
    """Say what you found at the provider. What was not sent is then sent, if it is still true."""
    if sent is None:
        raise Refusal("say what you found: --sent or --not-sent", code="no-verdict", where="--sent")
    body = {"verdict": "sent" if sent else "not-sent", "by": who(by)}
    path = f"/v1/messages/{message_id(message)}/outcome"
    story = ask(operator_settings(), "notifications", "POST", path, json=body)
    follows = "Nothing is sent again." if sent else "It is sent, if it is still true."
    show_json(story) if json else out().print(f"Written down. {follows}")


def replies(json: AsJson = False) -> None:
    """The texts that wait for somebody to read them, with what they may be answers to."""
    found = ask(operator_settings(), "notifications", "GET", "/v1/replies")
    show_json(found) if json else print_replies(found)


def resolve(
    reply: Annotated[str, typer.Argument(help="The reply, as `daybook messages replies` names it.")],
    answer: Annotated[str, typer.Option(metavar="|".join(ANSWERS), help="What it means.")],
    message: Annotated[str, typer.Option(help="Which message it answers.")] = "",
    by: By = "",
    json: AsJson = False,
) -> None:
    """Say what a text means; what follows from such an answer follows. `nothing`: read, and nothing to do."""
    if answer not in ANSWERS:
        raise Refusal(f"“{answer}” is none of {', '.join(ANSWERS)}", code="bad-answer", where="--answer")
    body: dict[str, Any] = {"answer": answer, "by": who(by), **({"message": message_id(message)} if message else {})}
    path = f"/v1/replies/{message_id(reply)}/resolution"
    resolved = ask(operator_settings(), "notifications", "POST", path, json=body)
    show_json(resolved) if json else out().print("Written down. It is off the list.")
