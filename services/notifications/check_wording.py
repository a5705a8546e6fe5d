"""`python -m services.notifications.check_wording [FOLDER] [--language en]`: templates looked through by themselves."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from services.notifications.segments import size
from services.notifications.templating import ENGLISH, Source, forbidden_words, read_sources
from shared.refusals import Refusal


def main() -> int:
    """Print what each template comes to, as JSON. Exits 0 if all are well, 1 if one breaks a rule, 2 if refused."""
    parser = argparse.ArgumentParser(prog="python -m services.notifications.check_wording", description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", help="templates of one's own; without it, Daybook's")
    parser.add_argument("--language", default=ENGLISH, help="which of its sets")
    given = parser.parse_args()
    try:
        templates = looked_through(given.folder, given.language)
    except Refusal as refusal:
        print(json.dumps({"reason": refusal.message, "code": refusal.code}), file=sys.stderr)  # noqa: T201
        return 2
    print(json.dumps({"templates": templates}))  # noqa: T201
    return 1 if any(template["faults"] for template in templates) else 0


def looked_through(folder: Path | None, language: str) -> list[dict[str, Any]]:
    """Each template with values that are made up. Raises `Refusal` if the folder cannot be read as templates."""
    clinical = forbidden_words()
    return [
        _facts(source, [str(fault) for fault in source.faults(clinical)], folder)
        for source in read_sources(folder, language).values()
    ]


def _facts(source: Source, faults: list[str], folder: Path | None) -> dict[str, Any]:
    """Of a template that breaks a rule nothing but that: it may not even be one that can be filled."""
    facts = {
        "template": source.name,
        "file": f"{source.file.parent.name}/{source.file.name}",
        "own": folder is not None and source.file.is_relative_to(folder),
        "faults": faults,
    }
    if faults:
        return facts
    its = size(text := source.written())
    return {
        **facts,
        "text": text,
        "coding": its.coding,
        "units": its.units,
        "segments": its.segments,
        "segments_with_code": size(source.written(" 0000")).segments,
    }


if __name__ == "__main__":
    sys.exit(main())
