"""The gate in front of a service: who may come in, how often, and a line in the trail for each, refused ones too."""

import asyncio
import re
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.access import Caller, Forbidden, TokenRefused, TooMany
from shared.audit import Access, Also, Trail
from shared.clock import Clock
from shared.ids import new_id
from shared.limits import Limits
from shared.refusals import Refusal
from shared.tokens import Tokens

HEALTH = frozenset({"/livez", "/readyz", "/metrics", "/openapi.json", "/docs", "/docs/oauth2-redirect"})
"""Open to everyone, and no access that the trail would have to name: they tell of no patient."""
ANY_TOKEN = "/v1/status"
"""The one path for which a token needs no scope at all."""

_NAMELESS = Caller(client="", organisation="")
_GIVEN_ID = re.compile(rb"[!-~]{1,128}")
_RESOURCE_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|(?!.*\d{10})[A-Za-z0-9._~:-]{1,64}")
"""An id such as we give. What else somebody may put into a path, an NHS number for one, stays out of the trail."""

_log = structlog.get_logger(__name__)

Answer = Callable[[Request, Refusal], Response]


class Fault(Refusal):
    """Something went wrong that should not have been possible. The log says what; the caller need not know."""

    def __init__(self) -> None:
        super().__init__("Something went wrong here, and it has been written down for us to mend", code="fault")


@dataclass(frozen=True, slots=True)
class Guards:
    """What the gate goes by. `strangers` counts those without a good token, by the address they come from.

    `open_paths` need no token, nor does what fits one of `open_patterns`. `templates` are the routes by their patterns,
    so that the trail can name the one that somebody asked for who was not let in.
    """

    tokens: Tokens
    trail: Trail
    clients: Limits
    strangers: Limits
    open_paths: frozenset[str]
    templates: Mapping[re.Pattern[str], str]
    answer: Answer
    now: Callable[[], datetime]
    open_patterns: Sequence[re.Pattern[str]] = ()
    seconds: Callable[[], float] = time.monotonic
    """For the limits: a clock that never goes back."""


class Gate:
    """An ASGI middleware. Behind it, `request.state` has `caller`, `request_id`, `correlation_id`, and what the trail
    is to be told: `practice`, `refusal` and the list `also`.
    """

    def __init__(self, app: ASGIApp, guards: Guards) -> None:
        self._app = app
        self._guards = guards
        self._clock = Clock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            await self._pass(scope, receive, _Visit(self._guards, scope, send))
        else:
            await send({"type": "websocket.close", "code": 1008})

    async def _pass(self, scope: Scope, receive: Receive, visit: "_Visit") -> None:
        try:
            try:
                await self._admit(scope, visit)
            except Refusal as refusal:
                await self._guards.answer(Request(scope), refusal)(scope, receive, visit.send)
            else:
                await self._app(scope, receive, visit.send)
        except asyncio.CancelledError:
            visit.cut_off()
            raise
        except Exception as error:
            _log_fault(error, visit)
            if visit.answered:
                raise
            await self._guards.answer(Request(scope), Fault())(scope, receive, visit.send)

    async def _admit(self, scope: Scope, visit: "_Visit") -> None:
        """Raises `Refusal` unless this request may go in; nothing of its body has been read."""
        if visit.path in HEALTH:
            return
        if self._is_open(visit.path):
            self._count(self._guards.strangers, _peer(scope))
            return
        try:
            token = _bearer(visit.authorizations)
            visit.caller = await self._guards.tokens.caller(token, self._clock.now().timestamp())
        except TokenRefused:
            self._count(self._guards.strangers, _peer(scope))
            raise
        self._count(self._guards.clients, visit.caller.client)
        if not visit.caller.scopes and visit.path != ANY_TOKEN:
            raise Forbidden("The token has no scope, so it allows nothing", code="missing-scope", where="Authorization")
        scope["state"]["caller"] = visit.caller

    def _is_open(self, path: str) -> bool:
        guards = self._guards
        return path in guards.open_paths or any(pattern.match(path) for pattern in guards.open_patterns)

    def _count(self, limits: Limits, client: str) -> None:
        if wait := limits.wait(client, self._guards.seconds()):
            raise TooMany(wait)


class _Visit:
    """One request on its way through, and what the trail will say of it."""

    __slots__ = ("_began", "_guards", "_headers", "_scope", "_send", "answered", "authorizations", "caller", "path")

    def __init__(self, guards: Guards, scope: Scope, send: Send) -> None:
        self._guards = guards
        self._scope = scope
        self._send = send
        self._began = time.perf_counter()
        self._headers: list[tuple[bytes, bytes]] = []
        self.path: str = scope["path"]
        self.caller = _NAMELESS
        self.answered = False
        self.authorizations: list[bytes] = []
        self._read_headers()

    def _read_headers(self) -> None:
        request_id = correlation_id = b""
        for name, value in self._scope["headers"]:
            if name == b"authorization":
                self.authorizations.append(value)
            elif name == b"x-request-id":
                request_id = value
            elif name == b"x-correlation-id":
                correlation_id = value
        if not _GIVEN_ID.fullmatch(request_id):
            request_id = new_id().encode()
        self._headers.append((b"x-request-id", request_id))
        if _GIVEN_ID.fullmatch(correlation_id):
            self._headers.append((b"x-correlation-id", correlation_id))
        else:
            correlation_id = b""
        state = self._scope.setdefault("state", {})
        state["request_id"], state["correlation_id"], state["also"] = request_id.decode(), correlation_id.decode(), []

    async def send(self, message: Message) -> None:
        """Towards the client; before the first byte of an answer, the trail has its line."""
        if message["type"] == "http.response.start" and not self.answered:
            sent = {name for name, _ in message["headers"]}
            more = [header for header in self._headers if header[0] not in sent]
            message = {**message, "headers": [*message["headers"], *more]}
            if self.path not in HEALTH:
                await self._guards.trail.write(self._rows(message["status"]))
            self.answered = True
        await self._send(message)

    def cut_off(self) -> None:
        """The service is told to stop, and does not wait for this request any longer: that is in the trail, too."""
        if not self.answered:
            self._scope["state"]["refusal"] = "cut-off"
            self._guards.trail.note(self._rows(0))

    def _rows(self, status: int) -> list[Access]:
        state = self._scope["state"]
        route, resource = self.place
        practice, refusal = state.get("practice", ""), state.get("refusal", "")
        first = self._row(Also(self._scope["method"], route, status, resource, practice, refusal))
        return [first, *(self._row(also) for also in state["also"])]

    def _row(self, what: Also) -> Access:
        return Access(
            at=self._guards.now(),
            request=self._scope["state"]["request_id"],
            client=self.caller.client,
            organisation=self.caller.organisation,
            operator=self.caller.operates,
            method=what.method,
            route=what.route,
            resource=_shown(what.resource),
            practice=what.practice,
            status=what.status,
            refusal=what.refusal,
            milliseconds=round((time.perf_counter() - self._began) * 1000, 1),
        )

    @property
    def place(self) -> tuple[str, str]:
        """The route's template and the ids in it; nothing for a path that is no route's."""
        if (route := self._scope.get("route")) is not None:
            return route.path, _joined(self._scope.get("path_params", {}))
        for pattern, template in self._guards.templates.items():
            if found := pattern.match(self.path):
                return template, _joined(found.groupdict())
        return "", ""


def _bearer(authorizations: Sequence[bytes]) -> bytes:
    """The token that was shown. One in the address or in a form is not looked for."""
    if not authorizations:
        raise TokenRefused("This needs a token: “Authorization: Bearer …”", code="no-token")
    if len(authorizations) > 1:
        raise TokenRefused("There is more than one Authorization header")
    scheme, _, token = authorizations[0].partition(b" ")
    if scheme.lower() != b"bearer":
        raise TokenRefused("The Authorization header must be a Bearer token")
    return token.strip()


def _peer(scope: Scope) -> str:
    client = scope.get("client")
    return client[0] if client else ""


def _joined(parameters: Mapping[str, object]) -> str:
    return "/".join(map(str, parameters.values()))


def _shown(resource: str) -> str:
    """The ids, with a question mark for what is none."""
    return "/".join(part if not part or _RESOURCE_ID.fullmatch(part) else "?" for part in resource.split("/"))


def _log_fault(error: Exception, visit: _Visit) -> None:
    """Where it happened, and what kind it and its causes are. Their messages may quote what was sent, and stay out."""
    chain = [error, *_causes(error)]
    traces = [f"{type(each).__qualname__}\n{''.join(traceback.format_tb(each.__traceback__))}" for each in chain]
    _log.error("a request could not be answered", route=visit.place[0], trace="caused by ".join(traces))


def _causes(error: BaseException) -> Iterator[BaseException]:
    while (cause := error.__cause__ or error.__context__) is not None:
        yield cause
        error = cause
