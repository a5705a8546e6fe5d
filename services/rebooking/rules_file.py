"""Reads the rules of planning from a TOML file, and says of each wrong key on which line it stands."""

import json
import tomllib
from collections.abc import Mapping, Sequence
from difflib import get_close_matches

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from services.rebooking.rules import Continuity, ExtraSession, Hub, PriorityClass, Rules
from services.rebooking.toml_lines import Path, line_of, lines_of
from shared.refusals import Refusal

_KEYS = sorted({key for part in (Rules, PriorityClass, Hub, ExtraSession, Continuity) for key in part.model_fields})


def read_rules(text: str) -> Rules:
    """The rules that a TOML file states; what it leaves out is as by default.

    Raises `Refusal` that names each wrong key, and its line.
    """
    try:
        return Rules.model_validate_json(json.dumps(tomllib.loads(text), default=str), strict=True)
    except tomllib.TOMLDecodeError as malformed:
        raise Refusal(f"The rules are not TOML: {malformed}", code="bad-rules") from None
    except ValidationError as invalid:
        complaints = _complaints(invalid.errors(), lines_of(text))
        listed = "; ".join(f"{key}: {what}" for key, what in complaints.items())
        first = next(iter(complaints)).split(" ")[0]
        raise Refusal(f"The rules make no sense. {listed}", code="bad-rules", where=first) from None


def _complaints(errors: Sequence[ErrorDetails], lines: Mapping[Path, int]) -> dict[str, str]:
    """What is wrong, by key and line; of several complaints about one key, the first."""
    complaints: dict[str, str] = {}
    for error in errors:
        path: Path = (*(name for name in error["loc"] if name != "[key]"), *error.get("ctx", {}).get("where", ()))
        line = line_of(path, lines)
        key = ".".join(map(str, path)) + ("" if line is None else f" (line {line})")
        complaints.setdefault(key, _in_words(error, str(path[-1])))
    return complaints


def _in_words(error: ErrorDetails, key: str) -> str:
    match error["type"]:
        case "extra_forbidden":
            similar = get_close_matches(key, _KEYS, 1)
            return "there is no such rule" + (f"; is {similar[0]} meant?" if similar else "")
        case "missing":
            return "it is missing"
        case _:
            return error["msg"]
