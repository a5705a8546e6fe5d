"""`daybook import`: the practices of a county, and their diaries."""

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from services.operator.asking import LinesRefused, ask
from services.operator.screen import AsJson, err, show
from services.operator.settings import OperatorSettings, operator_settings
from shared.refusals import Refusal

commands = typer.Typer(help="Bring in practices and diaries from CSV files.", no_args_is_help=True)

CSV = {"Content-Type": "text/csv; charset=utf-8"}
_COUNTED = ("sessions", "slots", "appointments", "unchanged")
_SHOWN = 50


@commands.command()
def practices(
    file: Annotated[Path, typer.Argument(help="CSV: ods_code,name,town,postcode,…")], json: AsJson = False
) -> None:
    """Register the practices of a file; those that are registered already take its details."""
    answer = ask(operator_settings(), "booking", "POST", "/v1/practices", content=read_file(file), headers=CSV)
    show(answer, as_json=json)


@commands.command()
def diary(
    files: Annotated[list[Path], typer.Argument(help="CSV: practice,session,clinician,…,start,minutes,status,…")],
    keep_good: Annotated[
        bool, typer.Option("--keep-good", help="Store the good rows of a file with bad ones.")
    ] = False,
    json: AsJson = False,
) -> None:
    """Store diaries: all rows of a file, or, if one is bad, none of them. Exit code 2 if any row was refused."""
    settings = operator_settings()
    total: dict[str, Any] = {**dict.fromkeys(_COUNTED, 0), "refused": []}
    with _progress() as progress:
        for file in progress.track(files, description="Importing diaries"):
            answer = _import_one(settings, file, keep_good)
            for name in _COUNTED:
                total[name] += answer.get(name, 0)
            total["refused"] += [{"file": str(file), **line} for line in answer["refused"]]
    complain(total["refused"])
    if total["refused"] and not keep_good:
        err().print("Nothing of a file with such a line was stored; --keep-good stores its good lines.")
    show(total if json else {name: total[name] for name in _COUNTED}, as_json=json)
    if total["refused"]:
        raise typer.Exit(2)


def _import_one(settings: OperatorSettings, file: Path, keep_good: bool) -> dict[str, Any]:
    query = {"keep_good": str(keep_good).lower()}
    try:
        answer: dict[str, Any] = ask(
            settings, "booking", "POST", "/v1/diary", content=read_file(file), headers=CSV, params=query
        )
    except LinesRefused as refusal:
        return {"refused": refusal.lines}
    return {"refused": [], **answer}


def read_file(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as problem:
        raise Refusal(f"{file} cannot be read: {problem.strerror}", code="unreadable-file", where=str(file)) from None


def complain(refused: list[dict[str, Any]]) -> None:
    for line in refused[:_SHOWN]:
        err().print(_sentence(line), markup=False, soft_wrap=True)
    if len(refused) > _SHOWN:
        err().print(f"… and {len(refused) - _SHOWN:,} more lines (all of them with --json)")


def _sentence(line: dict[str, Any]) -> str:
    """`june.csv, line 7, nhs_number: …`, as far as it is known."""
    places = (line.get("file"), f"line {line['line']}" if line.get("line") else "", line.get("field"))
    return f"{', '.join(str(place) for place in places if place)}: {line.get('reason', '')}"


def _progress() -> Progress:
    return Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), console=err()
    )
