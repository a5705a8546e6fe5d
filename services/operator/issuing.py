"""Tokens for local use: the key of this home that signs them, made at its first start, and what they say.

In a county the trust's own authorisation server issues tokens, and its JWKS goes where this one's goes.
"""

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from jwt.algorithms import ECAlgorithm

from services.operator.home import Home
from shared.ids import new_id
from shared.refusals import Refusal

ALGORITHM = "ES256"
KEY_FILE, JWKS_FILE = "token-key.pem", "jwks.json"


@dataclass(frozen=True, slots=True)
class Holder:
    """Who a token is for. `client` is the system that will show it; the organisation is known by its ODS code."""

    client: str
    scope: str
    organisation: str = ""
    organisation_type: str = ""


@dataclass(frozen=True, slots=True)
class Issuer:
    """Signs tokens. `name` and `audience` are what the services expect in `iss` and `aud`."""

    key: EllipticCurvePrivateKey = field(repr=False)
    name: str
    audience: str

    def issue(self, holder: Holder, now: datetime, lifetime: timedelta) -> str:
        """A JWT for this holder. `now` is the real time: no pretended clock makes a token last longer."""
        claims = {
            "iss": self.name,
            "sub": holder.client,
            "aud": self.audience,
            "iat": now,
            "exp": now + lifetime,
            "jti": new_id(),
            "scope": holder.scope,
            "ods_code": holder.organisation,
            "organisation_type": holder.organisation_type,
        }
        return jwt.encode(claims, self.key, ALGORITHM, {"kid": _public(self.key)["kid"]})


def issuer_of(home: Home, given: Mapping[str, str]) -> Issuer:
    """The issuer of this home; its key is made if it has none yet."""
    name, audience = (given.get(f"DAYBOOK_TOKEN_{each}") or "daybook" for each in ("ISSUER", "AUDIENCE"))
    return Issuer(_signing_key(home), name, audience)


def has_key(home: Home) -> bool:
    """Whether anything has been issued here, or been started."""
    return (home.root / KEY_FILE).exists()


def published_keys(home: Home) -> Path:
    """The file with the public half, as a JWKS, for the services to check tokens by. It always fits the key."""
    keys = json.dumps({"keys": [_public(_signing_key(home))]}, indent=2).encode() + b"\n"
    return home.published(JWKS_FILE, keys)


def _signing_key(home: Home) -> EllipticCurvePrivateKey:
    pem = home.made_once(KEY_FILE, _new_key)
    try:
        key = load_pem_private_key(pem, password=None)
    except ValueError:
        raise _unusable(home) from None
    if not (isinstance(key, EllipticCurvePrivateKey) and isinstance(key.curve, SECP256R1)):
        raise _unusable(home)
    return key


def _new_key() -> bytes:
    return generate_private_key(SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _public(key: EllipticCurvePrivateKey) -> dict[str, Any]:
    """As a JWK, named by its thumbprint (RFC 7638)."""
    jwk: dict[str, Any] = ECAlgorithm.to_jwk(key.public_key(), as_dict=True)
    named = json.dumps({name: jwk[name] for name in ("crv", "kty", "x", "y")}, separators=(",", ":"))
    thumbprint = base64.urlsafe_b64encode(hashlib.sha256(named.encode()).digest()).rstrip(b"=").decode()
    return {**jwk, "use": "sig", "alg": ALGORITHM, "kid": thumbprint}


def _unusable(home: Home) -> Refusal:
    path = home.root / KEY_FILE
    return Refusal(
        f"{path} cannot be read as a key for {ALGORITHM}; remove it, and a new one is made (tokens issued so far then "
        "no longer count)",
        code="bad-home",
        where=str(path),
    )
