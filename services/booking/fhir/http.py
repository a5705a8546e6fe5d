"""FHIR over HTTP: what a request asks for, in which format it wants its answer, and the answer as a response."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, get_args
from urllib.parse import parse_qsl

import msgspec
from fastapi import Request
from fastapi.responses import Response

from services.booking.bodies import parse_json, read_body, require_media_type
from services.booking.fhir.interactions import Answer, Ask, Prefer
from services.booking.fhir.outcomes import all_well, operation_outcome, outcome_of
from services.booking.fhir.resources import Json
from shared.access import Caller
from shared.http import Answered
from shared.refusals import Refusal
from shared.service import Running

BASE = "/fhir/R4"
MEDIA_TYPE = "application/fhir+json"
FORM = "application/x-www-form-urlencoded"
LARGEST_RESOURCE = 256 * 1024
LARGEST_BUNDLE = 2 * 1024 * 1024

_JSON_TYPES = (MEDIA_TYPE, "application/json", "text/json")
_FORMATS = {"json": MEDIA_TYPE, **{kind: kind for kind in _JSON_TYPES}}
_ABOUT_THE_ANSWER = ("_format", "_pretty")
_MOST_PARAMETERS = 200


@dataclass(frozen=True, slots=True)
class Format:
    """How the answer is written."""

    media_type: str = MEDIA_TYPE
    pretty: bool = False


async def read_ask(request: Request, service: Running, caller: Caller, *, most: int = LARGEST_RESOURCE) -> Ask:
    """A write: its body is a resource."""
    require_media_type(request, MEDIA_TYPE, "application/json", "text/json")
    return _ask(request, service, caller, _parameters(request), parse_json(await read_body(request, most)))


def ask_of(request: Request, service: Running, caller: Caller) -> Ask:
    """A read, or a search by GET."""
    return _ask(request, service, caller, _parameters(request), None)


async def read_search(request: Request, service: Running, caller: Caller) -> Ask:
    """A search by POST: parameters may stand in the address and in the body, a form."""
    require_media_type(request, FORM)
    form = (await read_body(request, LARGEST_RESOURCE)).decode(errors="replace")
    return _ask(request, service, caller, [*_parameters(request), *read_parameters(form)], None)


def read_parameters(text: str) -> list[tuple[str, str]]:
    """The parameters of a search, as a query or a form writes them, without those about the answer's format."""
    try:
        return _sound(parse_qsl(text, keep_blank_values=True, max_num_fields=_MOST_PARAMETERS, errors="strict"))
    except ValueError:
        raise Refusal("The parameters cannot be read", code="bad-parameters", where="query") from None


def format_of(request: Request) -> Format:
    """`_format` goes before Accept. Raises `Answered`: 415 for a format unknown, 406 if JSON is not acceptable."""
    asked = request.query_params if request.scope["query_string"] else {}
    pretty = asked.get("_pretty") == "true"
    if (named := asked.get("_format")) is not None:
        kind = named.partition(";")[0].strip().lower().replace("fhir json", "fhir+json")
        if kind not in _FORMATS:
            raise Answered(415, "The answer can be written as JSON only: _format=json")
        return Format(_FORMATS[kind], pretty)
    return Format(_acceptable(request.headers.get("Accept", "")), pretty)


def respond(request: Request, answer: Answer) -> Response:
    """The answer to go out: never to be stored on the way."""
    if answer.practice:
        request.state.practice = answer.practice
    return _response(answer.resource, answer.status, dict(answer.headers), format_of(request))


def respond_to_write(request: Request, ask: Ask, answer: Answer) -> Response:
    """The answer, with as much of the resource as was preferred."""
    return respond(request, preferred(ask, answer))


def preferred(ask: Ask, answer: Answer) -> Answer:
    """The answer to a write as `Prefer: return=…` wants it."""
    match ask.prefer:
        case "representation":
            return answer
        case "minimal":
            resource: Json | None = None
        case "OperationOutcome":
            resource = all_well("Created" if answer.status == 201 else "Done")
    return Answer(resource, answer.status, answer.headers, answer.practice)


def render(_: Request, refusal: Refusal) -> Response:
    """The refusal as an OperationOutcome, in JSON whatever was asked for."""
    return _response(operation_outcome(refusal), outcome_of(refusal).status, {}, Format())


def parse_prefer(values: Sequence[str]) -> tuple[Prefer, bool]:
    """What to return, and whether handling is strict (RFC 7240). What is not understood is left aside, as it says."""
    known: dict[str, Prefer] = {prefer.lower(): prefer for prefer in get_args(Prefer)}
    wishes = [re.sub(r"\s", "", wish).lower() for value in values for wish in re.split("[,;]", value)]
    returns = [known[wish[7:]] for wish in wishes if wish.startswith("return=") and wish[7:] in known]
    return (returns[0] if returns else "representation"), "handling=strict" in wishes


def _ask(request: Request, service: Running, caller: Caller, parameters: Sequence[tuple[str, str]], body: Any) -> Ask:
    format_of(request)  # An answer that cannot be given must not be asked for: nothing would have been refused.
    headers = request.headers
    prefer, strict = parse_prefer(headers.getlist("Prefer"))
    return Ask(
        caller=caller,
        base=_base(request),
        now=service.clock.now(),
        parameters=parameters,
        body=body,
        if_match=headers.get("If-Match"),
        if_none_exist=headers.get("If-None-Exist"),
        idempotency_key=headers.get("Idempotency-Key"),
        prefer=prefer,
        strict=strict,
    )


def _base(request: Request) -> str:
    """The address of the API as the caller wrote it."""
    scope, host = request.scope, request.headers.get("Host") or "{}:{}".format(*request.scope["server"])
    return f"{scope['scheme']}://{host}{scope.get('root_path', '')}{BASE}"


def _parameters(request: Request) -> list[tuple[str, str]]:
    return _sound(request.query_params.multi_items()) if request.scope["query_string"] else []


def _sound(sent: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Those that are not about the answer's format. Raises `Refusal` for a character that nothing stored can have."""
    if any("\0" in text for pair in sent for text in pair):
        raise Refusal("A parameter has a NUL character", code="bad-parameter")
    return [(name, value) for name, value in sent if name not in _ABOUT_THE_ANSWER]


def _acceptable(accept: str) -> str:
    """The media type in which JSON may be written."""
    if not accept or accept == "*/*":
        return MEDIA_TYPE
    wanted = [_range(part) for part in accept.lower().split(",")]
    for kind in _JSON_TYPES:
        for asked in (kind, f"{kind.partition('/')[0]}/*", "*/*") if kind == MEDIA_TYPE else (kind,):
            if asked in wanted:
                return kind
    raise Answered(406, f"The answer can be written as {MEDIA_TYPE} only")


def _range(part: str) -> str:
    """The media range; empty if it is one that is not wanted (`q=0`), or of another version of FHIR."""
    kind, *parameters = (piece.strip() for piece in part.split(";"))
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name == "q" and re.fullmatch(r"0(\.0*)?", value):
            return ""
        if name == "fhirversion" and value.strip('"') not in ("4.0", "4.0.1"):
            return ""
    return kind


def _response(resource: Json | None, status: int, headers: dict[str, str], written: Format) -> Response:
    content = b"" if resource is None else msgspec.json.encode(resource)
    if written.pretty and content:
        content = msgspec.json.format(content, indent=2)
    # Given as a header, because a media type of `text/…` would have a charset added to it.
    kind = {"Content-Type": written.media_type} if content else {}
    return Response(content, status, headers | kind | {"Cache-Control": "no-store"})
