"""`daybook token`: whom a token is for, what it says, and the key of the home that signs it."""

import stat
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key

from services.operator.app import main
from services.operator.home import Home
from services.operator.issuing import Holder, Issuer, issuer_of, published_keys
from services.operator.machine import Machine
from services.operator.settings import operator_settings
from services.operator.tokens import practice_holder
from shared.clock import Clock
from shared.refusals import Refusal

NOW = datetime(2030, 1, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)

Daybook = Callable[..., tuple[int, str, str]]


@pytest.fixture
def daybook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Daybook:
    """Runs `daybook token` in a home where nothing runs; gives exit code, output and complaints."""
    monkeypatch.setenv("DAYBOOK_HOME", str(tmp_path))

    def run(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["daybook", "token", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        assert isinstance(ended.value.code, int)
        return ended.value.code, said.out, said.err

    return run


def claims(home: Path, token: str) -> dict[str, Any]:
    """What the token says, once it is certain that it was signed by the key that the home publishes."""
    keys = jwt.PyJWKSet.from_json((home / "jwks.json").read_text())
    key = keys[jwt.get_unverified_header(token)["kid"]]
    said: dict[str, Any] = jwt.decode(token, key, algorithms=["ES256"], audience="daybook", issuer="daybook")
    return said


def test_nothing_but_the_token_is_printed_and_the_published_key_has_signed_it(daybook: Daybook, tmp_path: Path) -> None:
    code, out, err = daybook("--practice", "A1")
    assert (code, err, out.count("\n")) == (0, "", 1)
    said = claims(tmp_path, out.strip())
    assert (said["sub"], said["ods_code"], said["organisation_type"]) == ("practice-A1", "A1", "gp-practice")
    assert said["scope"] == "system/Slot.rs system/Schedule.cruds system/Appointment.cruds"
    assert said["exp"] - said["iat"] == 12 * 3600


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (
            ("--organisation", "111AA1", "--type", "nhs-111"),
            {
                "sub": "organisation-111AA1",
                "ods_code": "111AA1",
                "organisation_type": "nhs-111",
                "scope": "system/Slot.rs system/Schedule.rs system/Appointment.cruds",
            },
        ),
        (("--operator",), {"sub": "operator", "ods_code": "", "scope": "daybook/operate system/*.cruds"}),
        (("--practice", "a1", "--client", "Front desk 2"), {"sub": "Front desk 2", "ods_code": "A1"}),
        (
            ("--practice", "A1", "--scope", "system/Slot.rs  system/Appointment.r"),
            {"scope": "system/Slot.rs system/Appointment.r"},
        ),
    ],
    ids=["another organisation", "an operator", "a client of another name", "other scopes"],
)
def test_a_token_says_who_its_holder_is_and_what_it_may(
    daybook: Daybook, tmp_path: Path, words: tuple[str, ...], expected: dict[str, str]
) -> None:
    _, out, _ = daybook(*words)
    assert claims(tmp_path, out.strip()).items() >= expected.items()


def test_with_json_the_answer_is_that_of_an_authorisation_server(daybook: Daybook, tmp_path: Path) -> None:
    _, out, _ = daybook("--practice", "A1", "--hours", "1", "--json")
    answer = msgspec.json.decode(out)
    assert (answer["token_type"], answer["expires_in"]) == ("Bearer", 3600)
    assert claims(tmp_path, answer["access_token"])["scope"] == answer["scope"]


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ((), "say whom the token is for: one of --practice"),
        (("--practice", "A1", "--operator"), "say whom the token is for"),
        (("--practice", "A 1"), "--practice: “A 1” is not an ODS code"),
        (("--organisation", "X"), "--organisation: “X” is not an ODS code"),
        (("--organisation", "X1", "--type", "NHS 111"), "--type: “NHS 111” is not a type of organisation"),
        (("--practice", "A1", "--type", "nhs-111"), "--type is for an --organisation only"),
        (("--operator", "--scope", "system/Slot.sr"), "--scope: “system/Slot.sr” is not a scope"),
        (("--operator", "--scope", "everything"), "--scope: “everything” is not a scope"),
        (("--operator", "--scope", "system/Slot."), "--scope: “system/Slot.” is not a scope"),
        (("--operator", "--client", "x" * 129), "--client: a name has at most 128 characters"),
        (("--operator", "--hours", "0"), "--hours: 0 is not between 1 and 8,760"),
        (("--operator", "--hours", "8761"), "--hours: 8761 is not between 1 and 8,760"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_sentence_and_nothing_is_printed(
    daybook: Daybook, words: tuple[str, ...], complaint: str
) -> None:
    code, out, err = daybook(*words)
    assert (code, out) == (2, "")
    assert complaint in err
    assert len(err.strip().splitlines()) == 1


def test_the_key_is_made_once_for_the_owner_alone_and_its_public_half_for_all(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    published = published_keys(home)
    first = published.read_bytes()
    assert stat.S_IMODE((home.root / "token-key.pem").stat().st_mode) == 0o600
    assert stat.S_IMODE(published.stat().st_mode) == 0o644
    assert b'"d"' not in first
    published_keys(home)
    assert published.read_bytes() == first


def test_of_many_that_make_the_key_at_once_all_have_the_same(tmp_path: Path) -> None:
    home = Home(tmp_path)
    with ThreadPoolExecutor(8) as pool:
        tokens = list(pool.map(lambda _: _issued(issuer_of(home, {})), range(16)))
    published_keys(home)
    assert {claims(tmp_path, token)["ods_code"] for token in tokens} == {"A1"}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["jwks.json", "token-key.pem"]


def test_a_home_from_before_there_were_tokens_is_given_a_key_at_the_next_start(tmp_path: Path) -> None:
    Home(tmp_path).secrets()
    told = Machine(operator_settings({"DAYBOOK_HOME": str(tmp_path)}), Clock()).environment()
    assert told["DAYBOOK_TOKEN_KEYS"] == str(tmp_path / "jwks.json")
    assert claims(tmp_path, _issued(issuer_of(Home(tmp_path), {})))


def test_keys_of_another_issuer_go_before_ours(tmp_path: Path) -> None:
    given = {"DAYBOOK_HOME": str(tmp_path), "DAYBOOK_TOKEN_KEYS": "https://issuer.example/jwks.json"}
    assert Machine(operator_settings(given), Clock()).environment()["DAYBOOK_TOKEN_KEYS"] == given["DAYBOOK_TOKEN_KEYS"]


def test_a_damaged_key_is_refused_by_name_and_kept(tmp_path: Path) -> None:
    (tmp_path / "token-key.pem").write_text("-----BEGIN")
    with pytest.raises(Refusal, match=r"token-key\.pem cannot be read as a key"):
        issuer_of(Home(tmp_path), {})
    assert (tmp_path / "token-key.pem").read_text() == "-----BEGIN"


def test_the_issuer_and_the_audience_are_those_the_services_are_told(tmp_path: Path) -> None:
    given = {"DAYBOOK_TOKEN_ISSUER": "https://here.example", "DAYBOOK_TOKEN_AUDIENCE": "county"}
    token = _issued(issuer_of(Home(tmp_path), given))
    said = jwt.decode(token, options={"verify_signature": False})
    assert (said["iss"], said["aud"]) == ("https://here.example", "county")


def test_no_two_tokens_are_the_same() -> None:
    issuer = Issuer(generate_private_key(SECP256R1()), "daybook", "daybook")
    assert issuer.issue(Holder("one", ""), NOW, HOUR) != issuer.issue(Holder("one", ""), NOW, HOUR)


def _issued(issuer: Issuer) -> str:
    return issuer.issue(practice_holder("A1"), Clock().now(), HOUR)
