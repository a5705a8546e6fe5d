"""Who a bearer token stands for: a JWT of the configured issuer for this audience, signed with one of its keys."""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
from jwt import PyJWS, PyJWTError
from msgspec import Struct

from shared.access import Caller, TokenRefused, scopes_of
from shared.refusals import Unavailable
from shared.token_keys import ALGORITHMS, Key, Keys, TokenKeys

LONGEST_TOKEN = 8192
_LONGEST_NAME = 128
_TOKENS_REMEMBERED = 4096
_LEEWAY = 30.0
"""Seconds by which an issuer's clock may be ahead of ours. A token past its `exp` is past it."""


class _Claims(Struct, frozen=True):
    iss: str
    sub: str
    aud: str | Sequence[str]
    exp: float
    nbf: float = 0
    iat: float = 0
    scope: str | None = None
    ods_code: str | None = None
    organisation_type: str | None = None


@dataclass(frozen=True, slots=True)
class _Known:
    caller: Caller
    expires_at: float


class Tokens:
    """Checks tokens, and remembers those that were good until they expire or the keys change."""

    def __init__(self, keys: TokenKeys, *, issuer: str, audience: str) -> None:
        self._keys = keys
        self._issuer = issuer
        self._audience = audience
        self._jws = PyJWS(sorted(ALGORITHMS))
        self._known: OrderedDict[bytes, _Known] = OrderedDict()
        self._known_by: Keys = keys.keys

    async def caller(self, token: bytes, now: float) -> Caller:
        """Whoever the token stands for. `now` is the real time in Unix seconds: tokens belong to the real world.

        Raises `TokenRefused` with what is wrong, and `Unavailable` while there are no keys to check it by.
        """
        if now >= self._keys.due:
            await self._keys.freshen(now)
        if self._known_by is not self._keys.keys:
            self._known.clear()
            self._known_by = self._keys.keys
        known = self._known.get(token)
        if known is None:
            return await self._check(token, now)
        if now >= known.expires_at:
            raise _expired()
        self._known.move_to_end(token)
        return known.caller

    async def _check(self, token: bytes, now: float) -> Caller:
        algorithm, key = await self._key_of(token, now)
        by = self._keys.keys
        claims = self._claims(token, algorithm, key)
        self._require_for_us(claims, now)
        caller = Caller(
            client=claims.sub,
            organisation=claims.ods_code or "",
            organisation_type=claims.organisation_type or "",
            scopes=scopes_of(claims.scope or ""),
        )
        if by is self._known_by:
            self._known[token] = _Known(caller, claims.exp)
            if len(self._known) > _TOKENS_REMEMBERED:
                self._known.popitem(last=False)
        return caller

    async def _key_of(self, token: bytes, now: float) -> tuple[str, Key]:
        if not 0 < len(token) <= LONGEST_TOKEN:
            raise TokenRefused(f"A token has between 1 and {LONGEST_TOKEN} characters")
        try:
            header = self._jws.get_unverified_header(token)
        except (PyJWTError, ValueError, TypeError):
            raise TokenRefused("The token is not a signed JWT") from None
        algorithm = header.get("alg")
        if not isinstance(algorithm, str) or algorithm not in ALGORITHMS:
            raise TokenRefused(f"The token must be signed with one of {', '.join(sorted(ALGORITHMS))}")
        key = await self._keys.find(header.get("kid", ""), now)
        if key is None:
            if not self._keys.keys:
                raise Unavailable("Tokens cannot be checked at the moment: their keys are out of reach", code="no-keys")
            raise TokenRefused("The token is signed with a key that is not known here")
        if algorithm not in key.algorithms:
            raise TokenRefused("The token's algorithm is not one that its key is for")
        return algorithm, key

    def _claims(self, token: bytes, algorithm: str, key: Key) -> _Claims:
        try:
            payload: bytes = self._jws.decode(token, key.public, [algorithm])
        except (PyJWTError, ValueError, TypeError):
            raise TokenRefused("The token's signature is not good") from None
        try:
            return msgspec.json.decode(payload, type=_Claims)
        except msgspec.ValidationError as wrong:
            raise TokenRefused(f"The token's claims are not as they should be: {wrong}") from None
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise TokenRefused("The token's claims are not a JSON object") from None

    def _require_for_us(self, claims: _Claims, now: float) -> None:
        if now >= claims.exp:
            raise _expired()
        if max(claims.nbf, claims.iat) > now + _LEEWAY:
            raise TokenRefused("The token is not valid yet")
        if claims.iss != self._issuer:
            raise TokenRefused("The token is of another issuer than the one trusted here")
        if self._audience not in ([claims.aud] if isinstance(claims.aud, str) else claims.aud):
            raise TokenRefused("The token is for another audience")
        if not claims.sub.strip():
            raise TokenRefused("The token's sub is empty: it must name the client")
        for name in (claims.sub, claims.ods_code or "", claims.organisation_type or ""):
            if len(name) > _LONGEST_NAME or not name.isprintable():
                raise TokenRefused(f"The token's names have at most {_LONGEST_NAME} characters, all of them printable")


def _expired() -> TokenRefused:
    return TokenRefused("The token has expired", code="token-expired")
