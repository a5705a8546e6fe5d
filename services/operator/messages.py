"""`daybook messages`: what patients are told, before and after it is sent, and what they answer."""

import typer

from services.operator.messages_lists import campaign, list_messages, patient, show
from services.operator.messages_preview import preview
from services.operator.messages_work import replies, resolve, settle, unknown

message_commands = typer.Typer(help="What patients are told, and what they answer.", no_args_is_help=True)
for command in (preview, campaign, show, patient, unknown, settle, replies, resolve):
    message_commands.command()(command)
message_commands.command(name="list")(list_messages)
