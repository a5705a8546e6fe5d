"""Where in a TOML file each key and each element stands, so that a complaint about it can name the line."""

import tomllib
from collections.abc import Iterator, Mapping
from typing import Any

Path = tuple[str | int, ...]
"""Keys of tables and numbers of elements, from the outermost in."""

_ENDINGS = ("", "]", "]]", "}]", "]}", "]}]")
"""What may be missing from a file that breaks off at the end of a line within a list."""


def line_of(path: Path, lines: Mapping[Path, int]) -> int | None:
    """The line of what stands there, or, if nothing does, of the innermost that should have held it."""
    return next((lines[path[:depth]] for depth in range(len(path), 0, -1) if path[:depth] in lines), None)


def lines_of(text: str) -> dict[Path, int]:
    """The line, from 1, with which each key and element first appears. The text must be TOML.

    The standard library's reader keeps no positions, so it is asked what it sees in ever more of the file.
    """
    lines = text.splitlines(keepends=True)
    found: dict[Path, int] = {}
    for number in range(1, len(lines) + 1):
        for path in _paths(_opening("".join(lines[:number]))):
            found.setdefault(path, number)
    return found


def _opening(text: str) -> Any:
    """As much as can be made of a file that breaks off here: nothing, if that is within a text of several lines."""
    for ending in _ENDINGS:
        try:
            return tomllib.loads(text + ending)
        except tomllib.TOMLDecodeError:
            continue
    return {}


def _paths(value: Any, at: Path = ()) -> Iterator[Path]:
    inner: Any = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in inner:
        yield (*at, key)
        yield from _paths(each, (*at, key))
