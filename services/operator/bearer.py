"""The token that the operator's own programs show to the services: one from outside, or one of this home's key."""

from collections.abc import Generator, Mapping
from datetime import datetime, timedelta
from pathlib import Path

import httpx

from services.operator.home import Home
from services.operator.issuing import Holder, has_key, issuer_of
from shared.access import OPERATE
from shared.clock import Clock
from shared.refusals import Refusal

OPERATOR_SCOPE = f"{OPERATE} system/*.cruds"
GIVEN = "DAYBOOK_TOKEN"
"""The environment variable that holds a token, for where the services take tokens of another issuer."""
GIVEN_FILE = "DAYBOOK_TOKEN_FILE"
"""The one that names a file with such a token, which somebody renews: it is read anew each time."""

_LASTS, _RENEWED_AFTER = timedelta(minutes=10), timedelta(minutes=5)


class OperatorBearer(httpx.Auth):
    """Shows an operator's token with every request; where there is neither a token nor a key, none."""

    def __init__(self, home: Home, given: Mapping[str, str]) -> None:
        self._home = home
        self._given = given
        self._token = ""
        self._renew_at: datetime | None = None

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        if token := self._given.get(GIVEN) or self._from_file() or self._own():
            request.headers["Authorization"] = f"Bearer {token}"
        yield request

    @property
    def advice(self) -> str:
        """What to do when the services do not take the token, or there was none."""
        if self._given.get(GIVEN):
            return f"put another token into {GIVEN}, which is what was shown"
        if file := self._given.get(GIVEN_FILE):
            return f"put another token into {file}, which is what was shown"
        if has_key(self._home):
            return f"it takes tokens of another issuer, so put an operator's token of that one into {GIVEN}"
        return (
            f"there is no token to show: give the command where `daybook up` runs (DAYBOOK_HOME is {self._home.root}), "
            f"or put an operator's token into {GIVEN}"
        )

    def _from_file(self) -> str:
        file = self._given.get(GIVEN_FILE)
        try:
            return Path(file).read_text(encoding="ascii").strip() if file else ""
        except (OSError, UnicodeDecodeError) as problem:
            raise Refusal(f"No token can be read from {file}: {problem}", code="no-token", where=GIVEN_FILE) from None

    def _own(self) -> str:
        if not has_key(self._home):
            return ""
        now = Clock().now()
        if self._renew_at is None or now >= self._renew_at:
            holder = Holder(client="operator", scope=OPERATOR_SCOPE)
            self._token = issuer_of(self._home, self._given).issue(holder, now, _LASTS)
            self._renew_at = now + _RENEWED_AFTER
        return self._token


class PracticeBearer(httpx.Auth):
    """Shows the token of one practice system."""

    def __init__(self, token: str) -> None:
        self._token = token

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        request.headers["Authorization"] = f"Bearer {self._token}"
        yield request
