"""A token counts if a key of the issuer signed it, for us, for now; whatever else it is, it is refused in words."""

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import jwt
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st
from jwt import PyJWS
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from shared.access import Caller, TokenRefused
from shared.refusals import Refusal, Unavailable
from shared.token_keys import TokenKeys, read_keys, token_keys
from shared.tokens import LONGEST_TOKEN, Tokens
from tests.issuer import Issuer, write_keys

NOON = datetime(2024, 7, 22, 12, 0, tzinfo=UTC)
NOW = NOON.timestamp()


def issuer(kid: str) -> Issuer:
    return Issuer(kid, clock=lambda: NOON)


ISSUER = issuer("for-tests")
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
CURVE_384 = ec.generate_private_key(ec.SECP384R1())
EDWARDS = ed25519.Ed25519PrivateKey.generate()
RSA_KEY = rsa.generate_private_key(65537, 2048)


@pytest.fixture
def jwks(tmp_path: Path) -> Path:
    path = tmp_path / "jwks.json"
    write_keys(path, ISSUER)
    return path


@pytest.fixture
async def keys(jwks: Path) -> AsyncIterator[TokenKeys]:
    async with token_keys(str(jwks)) as keys:
        yield keys


@pytest.fixture
def tokens(keys: TokenKeys) -> Tokens:
    return Tokens(keys, issuer="daybook", audience="daybook")


async def refused(tokens: Tokens, token: str | bytes, now: float = NOW) -> str:
    """Why; and the reason never quotes the token."""
    shown = token.encode() if isinstance(token, str) else token
    with pytest.raises(TokenRefused) as refusal:
        await tokens.caller(shown, now)
    assert not any(part in refusal.value.message.encode() for part in shown.split(b".") if len(part) > 8)
    return refusal.value.message


def forged(header: dict[str, Any], signature: Callable[[bytes], bytes] = lambda _: b"") -> str:
    """Good claims under this header, signed as somebody else would like to."""
    _, payload, _ = ISSUER.token().split(".")
    signed = f"{encoded(json.dumps(header).encode())}.{payload}"
    return f"{signed}.{encoded(signature(signed.encode()))}"


def mac(secret: bytes, signed: bytes) -> bytes:
    return hmac.digest(secret, signed, hashlib.sha256)


def put(path: Path, text: str) -> None:
    path.write_text(text)


def take_away(path: Path) -> None:
    path.unlink()


class OneSet:
    """A JWKS that stays as it is."""

    every = unknown_every = 60.0
    needed_at_start = False

    async def read(self) -> bytes | None:
        return json.dumps({"keys": [ISSUER.jwk]}).encode()

    async def close(self) -> None:
        return


def encoded(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


class TestGoodTokens:
    async def test_its_claims_say_who_asks(self, tokens: Tokens) -> None:
        token = ISSUER.token(sub="ACME", ods_code="A1", organisation_type="gp-practice", scope="system/Slot.rs a b")
        expected = Caller("ACME", "A1", "gp-practice", frozenset({"system/Slot.rs", "a", "b"}))
        assert await tokens.caller(token.encode(), NOW) == expected

    async def test_without_optional_claims_it_may_do_nothing(self, tokens: Tokens) -> None:
        assert await tokens.caller(ISSUER.token().encode(), NOW) == Caller("a client", "")

    async def test_an_audience_among_several_counts(self, tokens: Tokens) -> None:
        assert await tokens.caller(ISSUER.token(aud=["other", "daybook"]).encode(), NOW)

    async def test_a_token_without_key_id_is_checked_by_the_only_key(self, tokens: Tokens) -> None:
        claims = jwt.decode(ISSUER.token(), options={"verify_signature": False})
        assert await tokens.caller(jwt.encode(claims, ISSUER.key, "ES256").encode(), NOW)

    @pytest.mark.parametrize(
        ("algorithm", "key", "public"),
        [
            ("ES384", CURVE_384, ECAlgorithm.to_jwk(CURVE_384.public_key())),
            ("RS256", RSA_KEY, RSAAlgorithm.to_jwk(RSA_KEY.public_key())),
            ("RS384", RSA_KEY, RSAAlgorithm.to_jwk(RSA_KEY.public_key())),
            ("PS256", RSA_KEY, RSAAlgorithm.to_jwk(RSA_KEY.public_key())),
            ("EdDSA", EDWARDS, OKPAlgorithm.to_jwk(EDWARDS.public_key())),
        ],
        ids=["ES384", "RS256", "RS384", "PS256", "EdDSA"],
    )
    async def test_every_pinned_algorithm_works(
        self, jwks: Path, tokens: Tokens, algorithm: str, key: Any, public: str
    ) -> None:
        put(jwks, json.dumps({"keys": [{**json.loads(public), "kid": "other"}]}))
        claims = jwt.decode(ISSUER.token(), options={"verify_signature": False})
        token = jwt.encode(claims, key, algorithm, {"kid": "other"})
        assert (await tokens.caller(token.encode(), NOW + 2)).client == "a client"


class TestRefused:
    async def test_when_it_has_expired_and_when_it_expires_while_remembered(self, tokens: Tokens) -> None:
        assert await refused(tokens, ISSUER.token(exp=NOW)) == "The token has expired"
        brief = ISSUER.token(exp=NOW + 60)
        assert await tokens.caller(brief.encode(), NOW)
        assert await refused(tokens, brief, NOW + 60) == "The token has expired"

    async def test_before_it_is_valid(self, tokens: Tokens) -> None:
        assert await refused(tokens, ISSUER.token(nbf=NOW + 60)) == "The token is not valid yet"
        assert await refused(tokens, ISSUER.token(iat=NOW + 60)) == "The token is not valid yet"

    async def test_of_another_issuer_or_for_another_audience(self, tokens: Tokens) -> None:
        assert "another issuer" in await refused(tokens, ISSUER.token(iss="https://elsewhere.example"))
        assert "another audience" in await refused(tokens, ISSUER.token(aud="elsewhere"))
        assert "another audience" in await refused(tokens, ISSUER.token(aud=[]))

    @pytest.mark.parametrize("claim", ["iss", "sub", "aud", "exp"])
    async def test_without_a_claim_that_it_must_have(self, tokens: Tokens, claim: str) -> None:
        assert f"`{claim}`" in await refused(tokens, ISSUER.token(**{claim: None}))

    @pytest.mark.parametrize("sub", ["", " ", "a\x00b", "x" * 200, "line\nbreak"])
    async def test_with_a_client_that_cannot_be_one(self, tokens: Tokens, sub: str) -> None:
        assert await refused(tokens, ISSUER.token(sub=sub))

    @pytest.mark.parametrize("claims", [{"scope": ["a"]}, {"ods_code": 7}, {"aud": {}}])
    async def test_with_claims_of_the_wrong_kind(self, tokens: Tokens, claims: dict[str, Any]) -> None:
        assert "claims are not as they should be" in await refused(tokens, ISSUER.token(**claims))

    async def test_unsigned_in_whatever_spelling(self, tokens: Tokens) -> None:
        for none in ("none", "None", "NONE", "nOnE", ""):
            assert "must be signed" in await refused(tokens, forged({"alg": none, "typ": "JWT"}))
            assert "must be signed" in await refused(tokens, forged({"alg": none, "kid": ISSUER.kid}))

    async def test_without_its_signature_or_with_a_spoilt_one(self, tokens: Tokens) -> None:
        signed, _, signature = ISSUER.token().rpartition(".")
        spoilt = ("B" if signature[5] == "A" else "A").join((signature[:5], signature[6:]))
        for other in ("", spoilt, encoded(bytes(64)), encoded(b"short")):
            assert "signature is not good" in await refused(tokens, f"{signed}.{other}")

    async def test_with_other_claims_than_were_signed(self, tokens: Tokens) -> None:
        head, _, signature = ISSUER.token().split(".")
        _, richer, _ = ISSUER.token(scope="daybook/operate").split(".")
        assert "signature is not good" in await refused(tokens, f"{head}.{richer}.{signature}")

    async def test_signed_with_the_public_key_as_a_secret(self, tokens: Tokens) -> None:
        pem = ISSUER.key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        for secret in (pem, json.dumps(ISSUER.jwk).encode(), b""):
            token = forged({"alg": "HS256", "kid": ISSUER.kid}, partial(mac, secret))
            assert "must be signed" in await refused(tokens, token)

    async def test_signed_by_a_key_not_known(self, tokens: Tokens) -> None:
        assert "not known here" in await refused(tokens, issuer("stranger").token())
        assert "signature is not good" in await refused(tokens, issuer(ISSUER.kid).token())

    async def test_by_a_key_that_it_brings_along(self, tokens: Tokens) -> None:
        stranger = issuer("stranger")
        claims = jwt.decode(ISSUER.token(), options={"verify_signature": False})
        header = {"kid": ISSUER.kid, "jwk": stranger.jwk, "jku": "http://127.0.0.1:1/jwks.json"}
        assert "signature is not good" in await refused(tokens, jwt.encode(claims, stranger.key, "ES256", header))

    @pytest.mark.parametrize("algorithm", ["RS256", "PS256"])
    async def test_with_an_algorithm_that_its_key_is_not_for(self, tokens: Tokens, algorithm: str) -> None:
        claims = jwt.decode(ISSUER.token(), options={"verify_signature": False})
        token = jwt.encode(claims, RSA_KEY, algorithm, {"kid": ISSUER.kid})
        assert "not one that its key is for" in await refused(tokens, token)

    async def test_with_extensions_that_must_be_understood(self, tokens: Tokens) -> None:
        claims = jwt.decode(ISSUER.token(), options={"verify_signature": False})
        token = jwt.encode(claims, ISSUER.key, "ES256", {"kid": ISSUER.kid, "crit": ["exp"], "exp": 1})
        assert await refused(tokens, token)

    @pytest.mark.parametrize(
        "garbage",
        [
            "",
            "x",
            "..",
            "a.b.c",
            "e30.e30.",
            "e30.e30.e30",
            "a.b.c.d.e",
            "é.ü.ö",
            "x" * 9000,
            b"\xff\xfe.a.b",
            "W10.W10.W10",
        ],
    )
    async def test_when_it_is_no_token_at_all(self, tokens: Tokens, garbage: str | bytes) -> None:
        assert await refused(tokens, garbage)

    async def test_when_it_is_too_long_however_well_signed(self, tokens: Tokens) -> None:
        assert str(LONGEST_TOKEN) in await refused(tokens, ISSUER.token(scope="system/Slot.rs " * 600))

    @settings(max_examples=60, deadline=None)
    @given(header=st.dictionaries(st.sampled_from(["alg", "kid", "crit", "b64", "typ"]), JSON), payload=JSON)
    def test_and_nothing_that_is_written_into_one_causes_more_than_a_refusal(self, header: Any, payload: Any) -> None:
        async def check() -> None:
            async with TokenKeys(OneSet()) as keys:
                tokens = Tokens(keys, issuer="daybook", audience="daybook")
                for begin in (header, {"alg": "ES256"} | header, header | {"alg": "ES256", "kid": ISSUER.kid}):
                    parts = [encoded(json.dumps(each).encode()) for each in (begin, payload)]
                    with pytest.raises(TokenRefused):
                        await tokens.caller(".".join([*parts, encoded(bytes(64))]).encode(), NOW)
                signed = PyJWS().encode(json.dumps(payload).encode(), ISSUER.key, "ES256", {"kid": ISSUER.kid})
                with pytest.raises(TokenRefused):
                    await tokens.caller(signed.encode(), NOW)

        asyncio.run(check())


class TestKeysInAFile:
    async def test_a_new_key_counts_as_soon_as_it_is_there_and_a_removed_one_soon_no_longer(
        self, jwks: Path, tokens: Tokens
    ) -> None:
        old, newer = ISSUER.token(), (fresh := issuer("newer")).token()
        assert await tokens.caller(old.encode(), NOW)
        assert "not known here" in await refused(tokens, newer)
        write_keys(jwks, ISSUER, fresh)
        assert await tokens.caller(newer.encode(), NOW)
        write_keys(jwks, fresh)
        assert "not known here" in await refused(tokens, old, NOW + 2)
        assert await tokens.caller(newer.encode(), NOW + 2)

    async def test_a_spoilt_file_leaves_the_last_good_keys(self, jwks: Path, tokens: Tokens) -> None:
        assert await tokens.caller(ISSUER.token().encode(), NOW)
        for step, spoilt in enumerate(("", "{", '{"keys":[]}', '{"keys":[{"kty":"oct","k":"c2VjcmV0"}]}')):
            put(jwks, spoilt)
            assert await tokens.caller(ISSUER.token().encode(), NOW + 5 * step)
        take_away(jwks)
        assert await tokens.caller(ISSUER.token().encode(), NOW + 60)

    @pytest.mark.parametrize("spoilt", ["", "[]", "{}", '{"keys": 1}', '{"keys":[]}', '{"keys":[{"kty":"oct"}]}'])
    async def test_a_service_does_not_start_without_usable_keys(self, tmp_path: Path, spoilt: str) -> None:
        put(tmp_path / "keys", spoilt)
        for path in (tmp_path / "keys", tmp_path / "none", tmp_path):
            with pytest.raises(Refusal, match="TOKEN_KEYS"):
                async with token_keys(str(path)):
                    pass

    def test_keys_that_cannot_check_a_token_are_left_out(self) -> None:
        good = ISSUER.jwk
        weak = rsa.generate_private_key(65537, 1024).public_key()
        others = [
            good | {"kid": "1", "use": "enc"},
            good | {"kid": "2", "alg": "RS256"},
            good | {"kid": "3", "key_ops": ["sign"]},
            good | {"kid": "4", "x": "AAAA"},
            good | {"kid": "5", "crv": "P-521"},
            {**RSAAlgorithm.to_jwk(weak, as_dict=True), "kid": "6"},
            {"kty": "oct", "k": "c2VjcmV0", "kid": "7"},
            {"kty": 7, "kid": "8"},
            "no key",
        ]
        assert set(read_keys(json.dumps({"keys": [*others, good]}).encode())) == {ISSUER.kid}

    def test_a_private_key_put_there_by_mistake_only_checks(self) -> None:
        private = ECAlgorithm.to_jwk(ISSUER.key, as_dict=True) | {"kid": "mistake"}
        (key,) = read_keys(json.dumps({"keys": [private]}).encode()).values()
        assert isinstance(key.public, ec.EllipticCurvePublicKey)


class Published:
    """An issuer's server with its JWKS, or without."""

    def __init__(self) -> None:
        self.issuers = [ISSUER]
        self.status = 200
        self.asked = 0

    async def answer(self, _: web.Request) -> web.Response:
        self.asked += 1
        return web.json_response({"keys": [issuer.jwk for issuer in self.issuers]}, status=self.status)


@asynccontextmanager
async def at_a_url() -> AsyncIterator[tuple[Published, Tokens]]:
    published, app = Published(), web.Application()
    app.router.add_get("/jwks.json", published.answer)
    async with TestServer(app) as server, token_keys(str(server.make_url("/jwks.json"))) as keys:
        yield published, Tokens(keys, issuer="daybook", audience="daybook")


class TestKeysAtAUrl:
    async def test_they_are_fetched_when_first_needed_and_not_again_for_each_token(self) -> None:
        async with at_a_url() as (published, tokens):
            assert published.asked == 0
            many = [tokens.caller(ISSUER.token(sub=f"client {number}").encode(), NOW) for number in range(20)]
            assert len(await asyncio.gather(*many)) == 20
            assert published.asked == 1

    async def test_an_unknown_key_is_looked_up_but_not_as_often_as_anyone_likes(self) -> None:
        async with at_a_url() as (published, tokens):
            await tokens.caller(ISSUER.token().encode(), NOW)
            newer = issuer("newer")
            published.issuers.append(newer)
            for seconds in (0, 10, 29):
                assert "not known here" in await refused(tokens, newer.token(), NOW + seconds)
            assert published.asked == 1
            assert await tokens.caller(newer.token().encode(), NOW + 30)
            assert await refused(tokens, issuer("stranger").token(), NOW + 31)
            assert published.asked == 2

    async def test_a_key_that_is_gone_counts_no_longer_after_ten_minutes(self) -> None:
        async with at_a_url() as (published, tokens):
            token = ISSUER.token().encode()
            await tokens.caller(token, NOW)
            published.issuers = [issuer("newer")]
            assert await tokens.caller(token, NOW + 599)
            assert "not known here" in await refused(tokens, token.decode(), NOW + 600)

    async def test_while_the_issuer_is_down_the_last_good_keys_stay(self) -> None:
        async with at_a_url() as (published, tokens):
            token = ISSUER.token().encode()
            await tokens.caller(token, NOW)
            published.status = 500
            for seconds in (600, 601, 640, 3000):
                assert await tokens.caller(token, NOW + seconds)
            assert published.asked == 4

    async def test_an_issuer_that_comes_up_later_is_asked_again_soon(self) -> None:
        async with at_a_url() as (published, tokens):
            published.status = 503
            for seconds in (0, 1):
                with pytest.raises(Unavailable):
                    await tokens.caller(ISSUER.token().encode(), NOW + seconds)
            published.status = 200
            assert await tokens.caller(ISSUER.token().encode(), NOW + 6)


async def test_without_any_keys_nobody_is_called_a_stranger() -> None:
    async with token_keys("http://127.0.0.1:1/jwks.json") as keys:
        with pytest.raises(Unavailable):
            await Tokens(keys, issuer="daybook", audience="daybook").caller(ISSUER.token().encode(), NOW)
