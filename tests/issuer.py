"""An issuer of tokens for the tests: one key for the whole run, and the JWKS that services check by."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

from shared.access import OPERATE
from shared.clock import Clock

EVERYTHING = "system/*.cruds"
OPERATOR_SCOPE = f"{OPERATE} {EVERYTHING}"


@dataclass(frozen=True, slots=True)
class Issuer:
    """Signs with its own key, whose public half is `jwk`, at the present time unless `clock` says otherwise."""

    kid: str = "for-tests"
    clock: Callable[[], datetime] = Clock().now
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    @property
    def jwk(self) -> dict[str, Any]:
        public = ECAlgorithm.to_jwk(self.key.public_key(), as_dict=True)
        return {**public, "kid": self.kid, "use": "sig", "alg": "ES256"}

    def token(self, **claims: Any) -> str:
        """A token that counts, for an hour; a claim given as None is left out."""
        now = self.clock()
        usual = {"iss": "daybook", "aud": "daybook", "sub": "a client", "iat": now, "exp": now + timedelta(hours=1)}
        said = {name: value for name, value in (usual | claims).items() if value is not None}
        return jwt.encode(said, self.key, "ES256", {"kid": self.kid})


def write_keys(path: Path, *issuers: Issuer) -> None:
    """The JWKS of all these, in one step."""
    fresh = path.with_suffix(".fresh")
    fresh.write_text(json.dumps({"keys": [issuer.jwk for issuer in issuers]}))
    fresh.replace(path)


def bearer(token: str) -> dict[str, str]:
    """The header that shows it; none without a token."""
    return {"Authorization": f"Bearer {token}"} if token else {}
