"""The shape of every event ever published, as recorded in event_schemas.json, and what must not change about it.

Stored events are for ever. After adding an event type or a field with a default, record the new shape:

    .venv/bin/python -m tests.house.event_schemas
"""

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from shared.events.envelope import EVENTS

RECORDED = Path(__file__).with_name("event_schemas.json")

Schema = Mapping[str, Any]


def published() -> dict[str, Schema]:
    """Each event type's JSON schema as the code has it, whole: what it is made of is written where it is used."""
    schemas = {kind: _whole(msgspec.json.schema(event)) for kind, event in sorted(EVENTS.items())}
    return _as_written(msgspec.json.encode(schemas))


def recorded() -> dict[str, Schema]:
    """Each event type's JSON schema as it was last recorded."""
    return _as_written(RECORDED.read_bytes())


def broken_promises(before: Mapping[str, Schema], after: Mapping[str, Schema]) -> Iterator[str]:
    """How events stored under `before` would be misread under `after`, a sentence each."""
    for kind, schema in before.items():
        if kind in after:
            yield from _breaks(kind, schema, after[kind])
        else:
            yield f"{kind} is gone: events of it are stored, so its type must stay"


def _breaks(place: str, before: Schema, after: Schema) -> Iterator[str]:
    if before.get("type") != after.get("type"):
        yield f"{place} was {before.get('type')}, and is now {after.get('type')}: give it a new name"
    if gone := _choices(before) - _choices(after):
        yield f"{place} no longer allows {', '.join(sorted(gone))}: stored events have it"
    for name in sorted(set(after.get("required", ())) - set(before.get("required", ()))):
        yield f"{place}.{name} is required: stored events lack it, so give it a default"
    for name, inner in before.get("properties", {}).items():
        if name in after.get("properties", {}):
            yield from _breaks(f"{place}.{name}", inner, after["properties"][name])
        else:
            yield f"{place}.{name} is gone: stored events have it, so it must stay"
    if isinstance(before.get("items"), dict):
        yield from _breaks(f"{place}[]", before["items"], after.get("items") or {})


def _choices(schema: Schema) -> set[str]:
    options = schema.get("enum", ()) or [option.get("type", "") for option in schema.get("anyOf", ())]
    return {str(option) for option in options}


def _as_written(text: bytes) -> dict[str, Schema]:
    schemas: dict[str, Schema] = msgspec.json.decode(text)
    return schemas


def _whole(schema: Schema) -> Schema:
    definitions = schema["$defs"]

    def fill(part: Any) -> Any:
        match part:
            case {"$ref": reference}:
                return fill(definitions[reference.rpartition("/")[2]])
            case dict():
                return {key: fill(value) for key, value in part.items() if key not in ("$defs", "description", "title")}
            case list():
                return [fill(value) for value in part]
            case _:
                return part

    whole: Schema = fill(schema)
    return whole


def main() -> None:
    """Record the shapes of today, unless they break a promise."""
    now = published()
    if broken := list(broken_promises(recorded() if RECORDED.exists() else {}, now)):
        sys.exit("\n".join(broken))
    RECORDED.write_bytes(msgspec.json.format(msgspec.json.encode(now), indent=1) + b"\n")


if __name__ == "__main__":
    main()
