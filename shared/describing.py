"""What FastAPI's description of an app does not say by itself: which routes need a token, and how a refusal is told."""

from collections.abc import Collection, Mapping
from typing import Any

_PROBLEM: dict[str, Any] = {
    "type": "object",
    "required": ["type", "title", "status", "detail", "code"],
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "What was wrong, and what to do, in a sentence."},
        "code": {"type": "string", "description": "The same for programs."},
        "where": {"type": "string", "description": "The element, parameter, header or file field that is meant."},
        "errors": {"type": "array", "items": {"type": "object"}, "description": "Every fault, by its line, of a file."},
    },
}
_REFUSALS = {
    "4XX": "Refused, and why: a problem (RFC 9457)",
    "5XX": "Not now, or a fault of ours: a problem (RFC 9457)",
}


def complete(schema: dict[str, Any], *, free: Collection[str], health: Collection[str]) -> dict[str, Any]:
    """The description, completed. `free` are the paths that need no token, `health` those that refuse nothing."""
    components = schema.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    components.setdefault("securitySchemes", {})["token"] = {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
    schema["security"] = [{"token": []}]
    for path, operations in schema["paths"].items():
        for operation in operations.values():
            if path in free:
                operation["security"] = []
            if path not in health:
                _tell_refusals(operation["responses"])
    # FastAPI's own way to refuse a request, which nothing here is refused in.
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    schemas["Problem"] = _PROBLEM
    return schema


def _tell_refusals(responses: dict[str, Any]) -> None:
    responses.pop("422", None)
    problem = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    for status, description in _REFUSALS.items():
        responses.setdefault(status, {"description": description, "content": problem})


def takes(media_type: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    """For the `openapi_extra` of a route that reads the body itself."""
    return {"requestBody": {"required": True, "content": {media_type: {"schema": dict(schema)}}}}


CSV_FILE = takes("text/csv", {"type": "string"})
