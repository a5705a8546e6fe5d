"""`daybook log`: both copies of the log compared, made again one from the other, carried away and brought back."""

import typer

from services.operator.log_files import export, import_
from services.operator.log_republish import republish_log
from services.operator.log_restore import restore_log
from services.operator.log_verify import verify_log

log_commands = typer.Typer(
    help="The log's two copies, in the databases and in the stream: prove them, make one from the other.",
    no_args_is_help=True,
)
log_commands.command("verify")(verify_log)
log_commands.command("restore")(restore_log)
log_commands.command("republish")(republish_log)
log_commands.command("export")(export)
log_commands.command("import")(import_)
