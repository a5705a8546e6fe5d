"""`daybook messages preview`: what the texts of a plan would come to, or what one's own wording looks like."""

import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from services.operator.asking import ask
from services.operator.messages_screen import print_preview, print_templates
from services.operator.naming import AtPractice, OutageId, ods_code, outage_path
from services.operator.screen import AsJson, show_json
from services.operator.settings import OperatorSettings, operator_settings
from shared.refusals import Refusal

_CHECK = "services.notifications.check_wording"
_PAGE = 5000
_COUNTED = (
    "messages", "segments", "ucs2", "without_mobile", "opted_out", "erased", "against_rules",
)  # fmt: skip


def preview(
    outage: OutageId = "",
    practice: AtPractice = "",
    templates: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Look through the wording in this folder instead.")
    ] = None,
    language: Annotated[str, typer.Option(help="Which set of that folder.")] = "en",
    json: AsJson = False,
) -> None:
    """How many texts a plan means, in how many segments, what they cost, and the longest: before anybody says yes.

    With --templates: each template with made-up values, and every rule that it breaks. Exit code 1: one does.
    """
    if templates is None:
        found = _preview(operator_settings(), outage, practice)
        show_json(found) if json else print_preview(found)
        return
    if outage or practice:
        raise Refusal("--templates looks at wording alone: leave the outage out", code="which-preview", where="OUTAGE")
    looked = _look_through(templates, language)
    show_json(looked) if json else print_templates(looked["templates"])
    if any(template["faults"] for template in looked["templates"]):
        raise typer.Exit(1)


def _preview(settings: OperatorSettings, outage: str, practice: str) -> dict[str, Any]:
    """What the plan's texts come to, and, of the whole outage, what is planned already."""
    path = outage_path(settings, outage)
    query = {"practice": ods_code(practice)} if practice else {}
    counted = [
        ask(settings, "notifications", "POST", "/v1/messages/preview", json={"notices": page})
        for page in _pages(settings, path, query)
    ]
    planned = None if practice else ask(settings, "notifications", "GET", f"{path}/messages")
    return {**_together(counted), "planned": planned}


def _pages(settings: OperatorSettings, path: str, query: dict[str, str]) -> Iterator[list[dict[str, Any]]]:
    """Those whom the plan would move, until all have come; if there is nobody, once nobody."""
    after: str | None = ""
    while after is not None:
        asked = {**query, "limit": _PAGE, **({"after": after} if after else {})}
        page = ask(settings, "rebooking", "GET", f"{path}/plan/notices", params=asked)
        yield page["notices"]
        after = page["after"]


def _together(pages: list[dict[str, Any]]) -> dict[str, Any]:
    """The pages as one; what is typical of the one in the middle is typical of them all."""
    by_segments: Counter[int] = Counter()
    for page in pages:
        by_segments.update({int(segments): number for segments, number in page["by_segments"].items()})
    longest = [page["longest"] for page in pages if page["longest"]]
    typical = sorted((page["typical"] for page in pages if page["typical"]), key=_length)
    price = pages[0]["price_pence"]
    counted = {name: sum(page[name] for page in pages) for name in _COUNTED}
    return {
        **counted,
        "by_segments": dict(sorted(by_segments.items())),
        "price_pence": price,
        "cost_pence": round(counted["segments"] * price, 2),
        "longest": max(longest, key=_length, default=None),
        "typical": typical[len(typical) // 2] if typical else None,
    }


def _length(example: dict[str, Any]) -> tuple[int, int]:
    return example["segments"], example["units"]


def _look_through(folder: Path, language: str) -> dict[str, Any]:
    """What notifications' own command says of the folder. Raises `Refusal` if it cannot be read."""
    command = [sys.executable, "-m", _CHECK, str(folder), "--language", language]
    done = subprocess.run(command, capture_output=True, check=False)
    if done.returncode in (0, 1) and done.stdout:
        return msgspec.json.decode(done.stdout, type=dict[str, Any])
    try:
        wrong = msgspec.json.decode(done.stderr, type=dict[str, str])
    except msgspec.DecodeError:
        wrong = {"reason": f"The templates could not be looked through: {done.stderr.decode(errors='replace')}"}
    raise Refusal(wrong["reason"], code=wrong.get("code", "not-looked-through"), where=str(folder))
