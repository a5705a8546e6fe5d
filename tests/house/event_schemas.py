"""The shape of every event ever published, as recorded in event_schemas.json, and what must not change about it.

Stored events are for ever. After adding an event type or a field with a default, record the new shape:

    .venv/bin/python -m tests.house.event_schemas
"""

import sys
from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import Any

import msgspec

from shared.events.envelope import EVENTS
from shared.events.upcasting import RETIRED, Retired

RECORDED = Path(__file__).with_name("event_schemas.json")

Schema = Mapping[str, Any]

_LOOKED_INTO = {"type", "enum", "anyOf", "properties", "required", "items", "prefixItems", "default", "discriminator"}
_ABOUT = {"$defs", "description", "title"}


def published() -> dict[str, Schema]:
    """Each event type's JSON schema as the code has it, whole: what it is made of is written where it is used."""
    schemas = {kind: _whole(msgspec.json.schema(event)) for kind, event in sorted(EVENTS.items())}
    return _as_written(msgspec.json.encode(schemas))


def recorded() -> dict[str, Schema]:
    """Each event type's JSON schema as it was last recorded, those of retired types included."""
    return _as_written(RECORDED.read_bytes())


def broken_promises(
    before: Mapping[str, Schema], after: Mapping[str, Schema], retired: Mapping[str, Retired] = RETIRED
) -> Iterator[str]:
    """How events stored under `before` would be misread under `after`, a sentence each."""
    for kind, schema in before.items():
        if kind in after:
            yield from _breaks(kind, schema, after[kind])
        elif kind not in retired:
            yield f"{kind} is gone: events of it are stored, so its type must stay, or be retired with an upcaster"


def lost_ways(retired: Mapping[str, Retired], present: Mapping[str, Any]) -> Iterator[str]:
    """Which retired types do not lead to one that is written, a sentence each."""
    for kind in retired:
        passed, at = {kind}, retired[kind].becomes
        while at in retired and at not in passed:
            passed.add(at)
            at = retired[at].becomes
        if kind in present:
            yield f"{kind} is retired, and written all the same: what is new needs another name"
        elif at in passed:
            yield f"{kind} becomes {at} in a circle"
        elif at not in present:
            yield f"{kind} becomes {at}, which nobody knows"


def _breaks(place: str, before: Schema, after: Schema) -> Iterator[str]:
    if before.get("type") != after.get("type"):
        yield f"{place} was {before.get('type')}, and is now {after.get('type')}: give it a new name"
    for word in sorted((before.keys() | after.keys()) - _LOOKED_INTO):
        if before.get(word) != after.get(word):
            yield f"{place} had {word} {before.get(word)}, and has now {after.get(word)}: give it a new name"
    if gone := _texts(before) - _texts(after):
        yield f"{place} no longer allows {', '.join(sorted(gone))}: stored events have it"
    if "default" in before and before["default"] != after.get("default", object()):
        yield f"{place} meant {before['default']} where it is left out: stored events leave it out, so that must stay"
    yield from _broken_fields(place, before, after)
    yield from _broken_parts(f"{place}[]", [before.get("items")], [after.get("items")])
    yield from _broken_parts(f"{place}[]", before.get("prefixItems", ()), after.get("prefixItems", ()))
    for option in before.get("anyOf", ()):
        yield from _broken_option(place, option, after.get("anyOf", ()))


def _broken_fields(place: str, before: Schema, after: Schema) -> Iterator[str]:
    for name in sorted(set(after.get("required", ())) - set(before.get("required", ()))):
        yield f"{place}.{name} is required: stored events lack it, so give it a default"
    for name, inner in before.get("properties", {}).items():
        if name in after.get("properties", {}):
            yield from _breaks(f"{place}.{name}", inner, after["properties"][name])
        else:
            yield f"{place}.{name} is gone: stored events have it, so it must stay"


def _broken_parts(place: str, before: Sequence[Any], after: Sequence[Any]) -> Iterator[str]:
    """What is wrong with the members of an array, place by place."""
    for earlier, later in zip_longest(before, after):
        if isinstance(earlier, dict) or isinstance(later, dict):
            yield from _breaks(place, earlier or {}, later or {})


def _broken_option(place: str, before: Schema, after: Sequence[Schema]) -> Iterator[str]:
    """One choice of a field that may be of several kinds: some kind of today must still take all of it."""
    alike = [option for option in after if option.get("type") == before.get("type")]
    if any(not list(_breaks(place, before, option)) for option in alike):
        return
    if len(alike) == 1:
        yield from _breaks(place, before, alike[0])
    else:
        yield f"{place} no longer allows {before.get('type', 'some of its choices')}: stored events have it"


def _texts(schema: Schema) -> set[str]:
    return {str(option) for option in schema.get("enum", ())}


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
                return {word: filled(word, value) for word, value in part.items() if word not in _ABOUT}
            case list():
                return [fill(value) for value in part]
            case _:
                return part

    def filled(word: str, value: Any) -> Any:
        # A field may be called “title”: its name is no word about the schema.
        return {name: fill(inner) for name, inner in value.items()} if word == "properties" else fill(value)

    whole: Schema = fill(schema)
    return whole


def main() -> None:
    """Record the shapes of today, unless they break a promise; those of retired types stay as they are."""
    before = recorded() if RECORDED.exists() else {}
    now = published()
    if broken := list(broken_promises(before, now)):
        sys.exit("\n".join(broken))
    shapes = {kind: {**before, **now}[kind] for kind in sorted({*before, *now})}
    RECORDED.write_bytes(msgspec.json.format(msgspec.json.encode(shapes), indent=1) + b"\n")


if __name__ == "__main__":
    main()
