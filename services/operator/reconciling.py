"""`daybook outage reconcile`: what became of the appointments of a lost day, from the paper."""

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from services.operator.asking import ask
from services.operator.imports import CSV, read_file
from services.operator.naming import AtPractice, By, OutageId, ods_code, outage_path, who
from services.operator.screen import AsJson, out, show_json
from services.operator.settings import operator_settings


def reconcile(
    file: Annotated[
        Path,
        typer.Argument(help="CSV: practice,start,nhs_number,outcome[,at]; a filled-in list of the continuity pack."),
    ],
    outage: OutageId = "",
    practice: AtPractice = "",
    rest: Annotated[Literal["displaced", "unknown"], typer.Option(help="What those not in the file are.")] = "unknown",
    by: By = "",
    json: AsJson = False,
) -> None:
    """Say what became of the appointments of the lost day: who was seen on paper, who did not come, who cancelled.

    With `--rest displaced` all others are owed another time, but for same-day demand, which goes to triage.
    """
    settings = operator_settings()
    query = {"rest": rest, "typed_by": who(by), **({"practice": ods_code(practice)} if practice else {})}
    path = f"{outage_path(settings, outage)}/reconciliation"
    answer = ask(settings, "rebooking", "POST", path, params=query, content=read_file(file), headers=CSV)
    show_json(answer) if json else out().print(_sentences(answer), markup=False)


def _sentences(answer: dict[str, Any]) -> str:
    outcomes = ", ".join(f"{number:,} {outcome}" for outcome, number in sorted(answer["outcomes"].items()))
    recorded = f"{answer['recorded']:,} appointments recorded: {outcomes}." if outcomes else "Nothing new was recorded."
    left = answer["unaccounted"]
    return f"{recorded}\n{f'Of {left:,} nothing is known yet.' if left else 'All are accounted for.'}"
