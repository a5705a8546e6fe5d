"""The `daybook` command: every sub-command, and what they do when they are refused."""

import sys

import typer

from services.operator.asking import LinesRefused
from services.operator.at import at_commands
from services.operator.continuity import continuity_pack
from services.operator.demo import demo
from services.operator.events import events
from services.operator.imports import commands as import_commands
from services.operator.imports import complain
from services.operator.log import log_commands
from services.operator.messages import message_commands
from services.operator.outages import outage_commands
from services.operator.parked import parked_commands
from services.operator.plans import plan_commands
from services.operator.practices import practice_commands
from services.operator.rebuild import rebuild
from services.operator.redelivery import redeliver
from services.operator.screen import err
from services.operator.snapshots import snapshots
from services.operator.story import story
from services.operator.system import status, stream_commands, up
from services.operator.tokens import token
from shared.refusals import Refusal

_HELP = "Daybook keeps appointments through the day the computers go down, and puts the lost ones right afterwards."


def create() -> typer.Typer:
    """The command with all its sub-commands."""
    app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=_HELP)
    for command in (up, demo, status, token, events, story, redeliver, rebuild, snapshots, continuity_pack):
        app.command()(command)
    app.add_typer(import_commands, name="import")
    app.add_typer(outage_commands, name="outage")
    app.add_typer(plan_commands, name="plan")
    app.add_typer(message_commands, name="messages")
    app.add_typer(practice_commands, name="practice")
    app.add_typer(at_commands, name="at")
    app.add_typer(stream_commands, name="streams")
    app.add_typer(log_commands, name="log")
    app.add_typer(parked_commands, name="parked")
    return app


def main() -> None:
    """Run it. A refusal is one sentence on standard error, and exit code 2."""
    try:
        create()()
    except Refusal as refusal:
        err().print(_sentence(refusal), markup=False, soft_wrap=True)
        if isinstance(refusal, LinesRefused):
            complain(refusal.lines)
        sys.exit(2)


def _sentence(refusal: Refusal) -> str:
    where = f" ({refusal.where})" if refusal.where and refusal.where not in refusal.message else ""
    return f"daybook: {refusal.message}{where}"
