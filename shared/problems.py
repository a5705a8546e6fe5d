"""Refusals over HTTP: RFC 9457 problems, the status of each way of saying no, and the headers that belong to it."""

from collections.abc import Callable, Mapping
from typing import Any

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException

from shared.access import Forbidden, TokenRefused, TooMany
from shared.gate import Fault
from shared.refusals import Conflict, NotFound, Refusal, Unavailable
from shared.seal import MasterKeyChanged

STATUS: Mapping[type[Refusal], int] = {
    Refusal: 422,
    NotFound: 404,
    Conflict: 409,
    Unavailable: 503,
    TokenRefused: 401,
    Forbidden: 403,
    TooMany: 429,
    Fault: 500,
}
"""What HTTP calls each way of saying no."""

Render = Callable[[Request, Refusal], Response]


class Answered(Refusal):
    """A refusal of the web framework itself, with the status it chose (404 for no such route, 405, 413 …)."""

    def __init__(self, status: int, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message, code=f"http-{status}")
        self.status = status
        self.headers = headers or {}


def problem(request: Request, refusal: Refusal) -> Response:
    """The refusal as RFC 9457 problem+json; `code` and `where` are for programs and for whoever mends the request.

    What a refusal has to say beside its sentence is in its `errors` (a list of faults) or its `members` (any others).
    """
    status = refusal.status if isinstance(refusal, Answered) else _status(refusal)
    body: dict[str, Any] = {
        "type": f"urn:daybook:problem:{refusal.code}",
        "title": refusal.code.replace("-", " "),
        "status": status,
        "detail": refusal.message,
        "code": refusal.code,
    }
    if refusal.where:
        body["where"] = refusal.where
    if errors := getattr(refusal, "errors", None):
        body["errors"] = errors
    body |= getattr(refusal, "members", {})
    return JSONResponse(body, status_code=status, media_type="application/problem+json")


def _status(refusal: Refusal) -> int:
    """That of the nearest kind of refusal that it is."""
    return next(STATUS[kind] for kind in type(refusal).__mro__ if kind in STATUS)


def answer(render: Render, request: Request, refusal: Refusal) -> Response:
    """The refusal as the service renders it, with the headers that belong to it, and its code for the trail."""
    response = render(request, refusal)
    response.headers.update(_headers(refusal, response.status_code))
    request.state.refusal = refusal.code
    return response


def _headers(refusal: Refusal, status: int) -> Mapping[str, str]:
    """When to come again; what sort of token is needed (RFC 6750, 3: no error is named if no token was shown)."""
    match refusal:
        case TokenRefused(code="no-token"):
            return {"WWW-Authenticate": 'Bearer realm="daybook"'}
        case TokenRefused():
            described = refusal.message.replace('"', "'").replace("\\", "").encode("ascii", "ignore").decode()
            challenge = f'Bearer realm="daybook", error="invalid_token", error_description="{described}"'
            return {"WWW-Authenticate": challenge}
        case Forbidden(code="missing-scope"):
            return {"WWW-Authenticate": 'Bearer realm="daybook", error="insufficient_scope"'}
        case TooMany():
            return {"Retry-After": str(refusal.retry_after)}
        case Answered():
            return refusal.headers
        case _:
            return {"Retry-After": "1"} if status == 503 else {}


def as_refusal(error: Exception) -> Refusal:
    """Every way a request can fail, as one of ours. The values that were sent are never quoted back."""
    match error:
        case Refusal():
            return error
        case RequestValidationError():
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"])
            return Refusal(f"{where}: {first['msg']}", code="invalid-request", where=where)
        case HTTPException():
            return Answered(error.status_code, str(error.detail), error.headers)
        case MasterKeyChanged():
            return Unavailable(
                "A patient's key does not open: this service was given another master key than it was made with, or "
                "the key was altered. An operator has to put that right",
                code="key-does-not-open",
            )
        case _:
            return Unavailable("the database cannot be reached; try again in a moment", code="database-down")
