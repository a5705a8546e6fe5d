"""Resources and searches as they come from programs that are wrong: something missing, something of another kind."""

import copy
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from hypothesis import strategies as st

Path = tuple[str | int, ...]

_ODD = st.sampled_from(
    [
        *("", " ", "\0", "\ud800", "ﬀ" * 300, "9999-12-31T23:59:59+00:00", "0001-01-01T00:00:00+14:00", "2024-02-30"),
        *("2024-07-22T09:00:00", "2024-10-27T01:30:00", "Slot/", "#", "#p", "|", "http://x|", 2**63, -1, 1e308, True),
    ]
)
anything = st.recursive(
    _ODD | st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=6,
)
"""Any JSON, and what JSON has not: NaN, half a character."""

headers = st.fixed_dictionaries(
    {},
    optional={
        "If-Match": st.sampled_from(['W/"2"', '"2"', "*", "2", "", 'W/"' + "9" * 30 + '"']),
        "If-None-Exist": st.sampled_from(["identifier=urn:x|1", "identifier=|", "?identifier=%00|1", "x=y", ""]),
        "Idempotency-Key": st.sampled_from(["key", "", "k" * 300, "é"]),
        "Prefer": st.sampled_from(["return=minimal", "return=OperationOutcome", "handling=strict", "return="]),
        "Accept": st.sampled_from(
            ["application/json", "text/html", "*/*;q=0", ";;", "application/fhir+json;fhirVersion=3.0"]
        ),
    },
)
"""What may go with a request, and be as wrong."""


@st.composite
def damaged(draw: st.DrawFn, resource: Mapping[str, Any]) -> Any:
    """The resource, with one to three of its elements replaced, left out, doubled or added to."""
    found: dict[str, Any] = copy.deepcopy(dict(resource))
    for _ in range(draw(st.integers(1, 3))):
        *way, last = draw(st.sampled_from(list(_paths(found))))
        inside: Any = found
        for step in way:
            inside = inside[step]
        match draw(st.sampled_from(["replace", "leave out", "double", "add"])):
            case "replace":
                inside[last] = draw(anything)
            case "leave out":
                del inside[last]
            case "double":
                inside[last] = [inside[last], inside[last]]
            case _ if isinstance(inside, dict):
                inside[draw(st.text(max_size=10) | st.sampled_from(["id", "status", "extension", "_start"]))] = draw(
                    anything
                )
            case _:
                inside.append(draw(anything))
        if not found:
            break
    return found


def _paths(value: Any, way: Path = ()) -> Iterator[Path]:
    if way:
        yield way
    match value:
        case dict():
            for name, inner in value.items():
                yield from _paths(inner, (*way, name))
        case list():
            for place, inner in enumerate(value):
                yield from _paths(inner, (*way, place))
        case _:
            pass


def searches(names: Sequence[str], values: Sequence[str]) -> st.SearchStrategy[list[tuple[str, str]]]:
    """Parameters of a search, known and unknown, with values that fit, or fit elsewhere, or nowhere."""
    name = st.sampled_from(list(names)) | st.sampled_from(
        ["_count", "_offset", "_total", "_format", "_elements", "x", ""]
    )
    prefix = st.sampled_from(["", "eq", "ge", "le", "gt", "lt", "ne", "ap", "sa"])
    odd = st.sampled_from(
        ["", "0", "-1", "9" * 25, "2024", "2024-02-30", "9999-12-31", "0001-01-01", "a,b", "\0", "|", "json"]
    )
    value = st.builds("{}{}".format, prefix, st.sampled_from(list(values)) | odd | st.text(max_size=10))
    return st.lists(st.tuples(name, value), max_size=6)
