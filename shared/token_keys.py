"""The public keys that tokens are checked by: a JWKS, in a file or at its issuer's address, and how it stays fresh."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

import httpx
import msgspec
import structlog
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt import PyJWK, PyJWTError
from msgspec import Struct

from shared.refusals import Refusal

_FITTING: Mapping[tuple[str, str], frozenset[str]] = {
    ("EC", "P-256"): frozenset({"ES256"}),
    ("EC", "P-384"): frozenset({"ES384"}),
    ("RSA", ""): frozenset({"RS256", "RS384", "PS256"}),
    ("OKP", "Ed25519"): frozenset({"EdDSA"}),
}
"""The algorithms that each kind of key (`kty`, `crv`) may be used with. There is none that takes a shared secret."""

ALGORITHMS = frozenset().union(*_FITTING.values())

_PRIVATE = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth"})
_SHORTEST_RSA = 2048

_FETCH_WITHIN = 5.0
_HOLD_UP_AT_MOST = 0.25
"""Seconds for which a request waits for a look at the keys that it could do without."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Key:
    """A public key, and the algorithms whose signatures it may check."""

    public: Any
    algorithms: frozenset[str]


Keys = Mapping[str, Key]
"""By `kid`; a key without one stands under the empty name."""


class _Jwk(Struct, frozen=True):
    kty: str
    kid: str = ""
    use: str = "sig"
    crv: str = ""
    alg: str | None = None
    key_ops: tuple[str, ...] = ("verify",)


def read_keys(jwks: bytes) -> Keys:
    """The keys of a JWKS (RFC 7517) that can check a token; the others are left out, as the RFC asks.

    Raises `Refusal` if it is no JWKS, or has no such key.
    """
    try:
        listed: list[dict[str, Any]] = msgspec.json.decode(jwks, type=dict[str, Any])["keys"]
        found = {each.kid: key for one in listed for each, key in _usable(one)}
    except (msgspec.DecodeError, UnicodeDecodeError, KeyError, TypeError):
        raise Refusal("it is not a JWKS: an object with a list “keys”", code="bad-token-keys") from None
    if not found:
        raise Refusal(f"it has no public key for {', '.join(sorted(ALGORITHMS))}", code="bad-token-keys")
    return found


def _usable(member: dict[str, Any]) -> list[tuple[_Jwk, Key]]:
    """Nothing, or the key. What is private in it is left aside unread: we only check."""
    try:
        jwk = msgspec.convert(member, _Jwk)
        fitting = _FITTING.get((jwk.kty, jwk.crv), frozenset())
        if jwk.alg is not None:
            fitting &= {jwk.alg}
        if not fitting or jwk.use != "sig" or "verify" not in jwk.key_ops:
            return []
        public = PyJWK({name: value for name, value in member.items() if name not in _PRIVATE}, min(fitting)).key
    except (msgspec.ValidationError, PyJWTError, ValueError):
        return []
    if isinstance(public, RSAPublicKey) and public.key_size < _SHORTEST_RSA:
        return []
    return [(jwk, Key(public, fitting))]


class Source(Protocol):
    """Where a JWKS is to be had. `every` is how often (s) to look; `unknown_every`, when a key is asked for in vain."""

    every: float
    unknown_every: float
    needed_at_start: bool

    async def read(self) -> bytes | None:
        """Its bytes, or None if they are still those of the last time. Raises OSError, httpx.HTTPError."""
        ...

    async def close(self) -> None: ...


class FileSource:
    """A file, read again when it has changed."""

    every = 1.0
    unknown_every = 0.0
    needed_at_start = True

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: tuple[int, int, int] | None = None

    async def read(self) -> bytes | None:
        return await asyncio.to_thread(self._read)

    def _read(self) -> bytes | None:
        found = self._path.stat()
        mark = (found.st_mtime_ns, found.st_size, found.st_ino)
        if mark == self._seen:
            return None
        self._seen = mark
        return self._path.read_bytes()

    async def close(self) -> None:
        return


class UrlSource:
    """What the issuer publishes, fetched when first needed."""

    every = 600.0
    unknown_every = 30.0
    needed_at_start = False

    def __init__(self, url: str) -> None:
        self._url = url
        self._client: httpx.AsyncClient | None = None

    async def read(self) -> bytes:
        if self._client is None:
            self._client = httpx.AsyncClient(timeout=_FETCH_WITHIN, trust_env=False)
        return (await self._client.get(self._url)).raise_for_status().content

    async def close(self) -> None:
        if self._client is not None:
            await self._client.aclose()


class TokenKeys:
    """The keys as last seen. A look that fails changes nothing: the last good ones stay. `now` is in seconds."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._looking: asyncio.Task[None] | None = None
        self._looked_at = float("-inf")
        self.keys: Keys = {}
        self.due = float("-inf")
        """When to look next."""
        self.fault = ""
        """Why the last look was in vain; empty if it was not."""

    async def __aenter__(self) -> Self:
        """Raises `Refusal` if the keys are in a file that cannot be used: better found out now than at 8 a.m."""
        if self._source.needed_at_start:
            await self._look_again(0.0, _FETCH_WITHIN)
            self.due = float("-inf")
            if not self.keys:
                raise Refusal(f"TOKEN_KEYS: {self.fault}", code="bad-settings", where="DAYBOOK_TOKEN_KEYS")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.wait([self._looking])
        await self._source.close()

    async def freshen(self, now: float) -> None:
        """Look again if it is time. A slow issuer holds nobody up for long who can be checked without it."""
        if now >= self.due:
            await self._look_again(now, _HOLD_UP_AT_MOST if self.keys else _FETCH_WITHIN)

    async def find(self, kid: str, now: float) -> Key | None:
        """The key of this name; one not known may be new, so look, unless the last look was too recent."""
        if (found := self._named(kid)) is not None:
            return found
        if self._is_looking or abs(now - self._looked_at) >= self._source.unknown_every:
            await self._look_again(now, _FETCH_WITHIN)
        return self._named(kid)

    @property
    def _is_looking(self) -> bool:
        return self._looking is not None and not self._looking.done()

    def _named(self, kid: str) -> Key | None:
        """A token that names no key means the only one there is."""
        if not kid and len(self.keys) == 1:
            return next(iter(self.keys.values()))
        return self.keys.get(kid)

    async def _look_again(self, now: float, within: float) -> None:
        """All who want a look at once share it, and none who goes away ends it."""
        if self._looking is None or not self._is_looking:
            self._looked_at = now
            self.due = now + self._source.every
            self._looking = asyncio.create_task(self._look(now))
        await asyncio.wait([self._looking], timeout=within)

    async def _look(self, now: float) -> None:
        try:
            jwks = await self._source.read()
            if jwks is not None:
                self.keys = read_keys(jwks)
            self.fault = ""
        except (OSError, httpx.HTTPError, httpx.InvalidURL, Refusal) as fault:
            self.fault = fault.message if isinstance(fault, Refusal) else f"it cannot be read ({type(fault).__name__})"
            self.due = now + min(self._source.every, _FETCH_WITHIN if not self.keys else self._source.unknown_every)
            _log.warning("the keys for tokens could not be renewed", reason=self.fault, kept=len(self.keys))


def token_keys(where: str) -> TokenKeys:
    """The keys in this file, or at this http(s) address."""
    is_url = where.startswith(("http://", "https://"))
    return TokenKeys(UrlSource(where) if is_url else FileSource(Path(where)))
