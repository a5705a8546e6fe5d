"""Who calls the peer: the same tokens that Daybook takes, verified once and then remembered."""

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import jwt
from fastapi import HTTPException

OPERATE = "daybook/operate"
_REMEMBERED = 1024


@dataclass(frozen=True, slots=True)
class Caller:
    """The client behind a good token."""

    client: str
    organisation: str
    organisation_type: str
    operates: bool
    until: int

    def has(self, practice: str) -> bool:
        """Whether this practice is the caller's own, or the caller operates."""
        return self.operates or self.organisation == practice != ""


class Bearer:
    """Verifies tokens by the keys of a JWKS."""

    def __init__(self, keys: jwt.PyJWKSet) -> None:
        self._keys = keys
        self._known: dict[str, Caller] = {}

    @classmethod
    def reading(cls, path: str) -> Self:
        """By the keys in this file."""
        return cls(jwt.PyJWKSet.from_dict(json.loads(Path(path).read_text())))

    def caller(self, header: str) -> Caller:
        """Who shows this Authorization header. Raises 401."""
        token = header.removeprefix("Bearer ")
        known = self._known.get(token)
        if known is None or known.until <= time.time():
            known = self._verified(token)
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            self._known[token] = known
        return known

    def _verified(self, token: str) -> Caller:
        try:
            key = self._keys[jwt.get_unverified_header(token)["kid"]]
            claims = jwt.decode(
                token, key, algorithms=["ES256"], issuer="daybook", audience="daybook", options={"require": ["exp"]}
            )
        except (jwt.PyJWTError, KeyError):
            raise HTTPException(401, "The token does not count", {"WWW-Authenticate": "Bearer"}) from None
        return Caller(
            client=claims["sub"],
            organisation=claims.get("ods_code", ""),
            organisation_type=claims.get("organisation_type", ""),
            operates=OPERATE in claims.get("scope", "").split(),
            until=claims["exp"],
        )
