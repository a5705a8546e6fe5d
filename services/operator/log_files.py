"""`daybook log export` and `daybook log import`: the log as a file, and back."""

import asyncio
import os
from pathlib import Path
from typing import Annotated

import typer

from services.operator.broker import broker_of
from services.operator.log_copies import telling
from services.operator.screen import AsJson, out, show_json
from services.operator.settings import OperatorSettings, operator_settings
from shared.carry import Carried, export_log
from shared.carry_back import Imported, check_file, import_log
from shared.portable import End, Header
from shared.portable_reading import Reader
from shared.refusals import Conflict, Refusal
from shared.stream import ensure_streams

_RESERVED = ".unfinished"


def export(
    file: Annotated[Path, typer.Argument(help="Where to write it: gzip, one JSON object a line.")],
    start: Annotated[int, typer.Option("--from", min=1, help="The first sequence.")] = 1,
    until: Annotated[int | None, typer.Option(min=0, help="The last sequence; if not said, all there are.")] = None,
    json: AsJson = False,
) -> None:
    """Write the log and the patients' keys, wrapped as they are stored, into a file.

    The file takes its name when it is whole. With the master key it is the patients: keep the two apart.
    """
    if file.exists():
        raise Conflict(f"{file} is there already: nothing was written over it", code="file-exists", where=str(file))
    carried = asyncio.run(_export(operator_settings(), file, start, until))
    if json:
        show_json(carried)
    else:
        out().print(
            f"{carried.end.events:,} events (sequences {carried.first:,} to {carried.last:,}) and {carried.end.keys:,} "
            f"keys in {carried.seconds:.1f} s.\nSHA-256 {carried.end.sha256}",
            soft_wrap=True,
        )


def import_(
    file: Annotated[Path, typer.Argument(help="A file of `daybook log export`.")],
    verify_only: Annotated[bool, typer.Option("--verify-only", help="Check the file, and import nothing.")] = False,
    replicas: Annotated[int, typer.Option(min=1, max=5, help="Copies of a stream that is not there yet.")] = 1,
    json: AsJson = False,
) -> None:
    """Bring such a file into an empty stream, or into one that holds its beginning. Stop the services first.

    The whole file is checked before anything is published. Exit code 2: refused.
    """
    if verify_only:
        header, end = check_file(file)
        show_json({"header": header, "end": end}) if json else out().print(_whole(header, end), soft_wrap=True)
        return
    Reader(file).header()
    imported = asyncio.run(_import(operator_settings(), file, replicas))
    if json:
        show_json(imported)
    else:
        out().print(_whole(imported.header, imported.end), soft_wrap=True)
        out().print(f"{imported.added:,} events were new to the stream, added in {imported.seconds:.1f} s.")


async def _export(settings: OperatorSettings, path: Path, first: int, last: int | None) -> Carried:
    unfinished = path.with_name(path.name + _RESERVED)
    try:
        file = unfinished.open("wb")
    except OSError as problem:
        raise Refusal(
            f"{path} cannot be written: {problem.strerror}", code="unwritable-file", where=str(path)
        ) from None
    try:
        with file, telling("Writing the log") as tell:
            async with broker_of(settings) as client:
                carried = await export_log(client, file, first=first, last=last, tell=tell)
            file.flush()
            os.fsync(file.fileno())
        unfinished.rename(path)
    finally:
        unfinished.unlink(missing_ok=True)
    return carried


async def _import(settings: OperatorSettings, path: Path, replicas: int) -> Imported:
    async with broker_of(settings) as client:
        await ensure_streams(client, replicas=replicas)
        with telling("Importing the log") as tell:
            return await import_log(client, path, tell=tell)


def _whole(header: Header, end: End) -> str:
    return (
        f"The file is whole: {end.events:,} events (sequences {header.first:,} to {header.last:,}) and {end.keys:,} "
        f"keys of the stream made at {header.stream_created}.\nSHA-256 {end.sha256}"
    )
