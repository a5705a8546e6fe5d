"""Asking a service over HTTP, and turning its no into a refusal that a person can read."""

from collections.abc import Mapping
from typing import Any

import httpx

from services.operator.bearer import GIVEN
from services.operator.settings import OperatorSettings
from shared.refusals import Refusal, Unavailable

_PATIENCE = httpx.Timeout(10, read=600)
"""A county's plan, or its diary, takes a service some seconds; a year's diary minutes."""


def ask(settings: OperatorSettings, service: str, method: str, path: str, **what: Any) -> Any:
    """The answer as JSON. Raises `Refusal` if the service says no, `Unavailable` if it says nothing."""
    response = _asked(settings, service, method, path, what)
    return response.json() if response.content else {}


def fetch(settings: OperatorSettings, service: str, path: str, **what: Any) -> bytes:
    """A page or a picture, as it is. Raises as `ask` does."""
    return _asked(settings, service, "GET", path, what).content


def _asked(settings: OperatorSettings, service: str, method: str, path: str, what: Mapping[str, Any]) -> httpx.Response:
    url, auth = settings.urls[service], settings.auth(service)
    # Without TLS no certificate is looked at, and reading them all takes longer than the question.
    verify = url.startswith("https:")
    try:
        with httpx.Client(base_url=url, timeout=_PATIENCE, trust_env=False, auth=auth, verify=verify) as client:
            response = client.request(method, path, **what)
    except httpx.TransportError as problem:
        raise Unavailable(
            f"{service} does not answer at {url} ({problem}); is `daybook up` running?", code="service-down"
        ) from None
    if response.is_error:
        raise refusal_of(service, response, settings.bearer.advice)
    return response


class LinesRefused(Refusal):
    """A file was refused, and these lines are why."""

    def __init__(self, message: str, lines: list[dict[str, Any]]) -> None:
        super().__init__(message, code="lines-refused")
        self.lines = lines


def refusal_of(service: str, response: httpx.Response, advice: str) -> Refusal:
    """What its problem (RFC 9457) or OperationOutcome says; `advice` is for when it takes none of our tokens."""
    if "json" not in response.headers.get("content-type", ""):
        return Unavailable(f"{service} answered {response.status_code} without saying why", code="service-failed")
    problem = response.json()
    message = _message(problem) or f"{service} answered {response.status_code}"
    code = str(problem.get("code", "refused"))
    if response.status_code == 401:
        return Refusal(f"{service} does not let us in ({message}): {advice}", code=code)
    if code == "missing-scope":
        return Refusal(f"{message}; `daybook token --operator` prints such a token, {GIVEN} takes it", code=code)
    if problem.get("errors"):
        return LinesRefused(message, problem["errors"])
    return Refusal(message, code=code, where=str(problem.get("where") or ""))


def _message(problem: dict[str, Any]) -> str:
    issues = problem.get("issue") or [{}]
    return str(problem.get("detail") or issues[0].get("diagnostics") or problem.get("title") or "")
