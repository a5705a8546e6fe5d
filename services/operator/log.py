"""`daybook log`: both copies of the log compared, made again one from the other, carried away and brought back."""

import asyncio
from typing import Annotated

import typer

from services.operator.databases import is_empty
from services.operator.log_files import export, import_
from services.operator.log_republish import republish_log
from services.operator.log_verify import verify_log
from services.operator.machine import Machine
from services.operator.rebuild import require_service, restore, show_result
from services.operator.screen import AsJson, show_json
from services.operator.settings import operator_settings
from shared.clock import clock_starting_at
from shared.refusals import Conflict

log_commands = typer.Typer(
    help="The log's two copies, in the databases and in the stream: prove them, make one from the other.",
    no_args_is_help=True,
)
log_commands.command("verify")(verify_log)
log_commands.command("republish")(republish_log)
log_commands.command("export")(export)
log_commands.command("import")(import_)


@log_commands.command("restore")
def restore_log(
    service: Annotated[str, typer.Argument(help="booking, rebooking or notifications")], json: AsJson = False
) -> None:
    """Make a service's lost database again from the stream: its events, then its tables. Nothing is done twice.

    Refused if the database is not empty; `daybook rebuild` proves and mends the tables of one that is not.
    """
    require_service(service)
    settings = operator_settings()
    if not asyncio.run(is_empty(settings, service)):
        raise Conflict(
            f"the database of {service} is not empty: nothing was restored. `daybook rebuild {service}` proves its "
            f"tables; if the database is wrong, drop it first",
            code="not-empty",
            where=service,
        )
    result = asyncio.run(restore(settings, Machine(settings, clock_starting_at(settings.now)), service))
    show_json(result) if json else show_result(service, result)
