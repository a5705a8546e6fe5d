"""Asking a service: the token that is shown, and what a person reads when it is not taken."""

import asyncio
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import jwt
import msgspec
import pytest

from services.operator.asking import ask
from services.operator.home import Home
from services.operator.issuing import published_keys
from services.operator.settings import OperatorSettings, operator_settings
from services.operator.status import look
from shared.refusals import Refusal


class Doorkeeper(HTTPServer):
    """Answers as it is told, and remembers what it was shown."""

    answer: tuple[int, dict[str, str]] = (200, {})
    shown: list[str | None]


class _Handler(BaseHTTPRequestHandler):
    server: Doorkeeper

    def do_GET(self) -> None:
        self.server.shown.append(self.headers["Authorization"])
        status, body = self.server.answer
        self.send_response(status)
        self.send_header("Content-Type", "application/problem+json")
        self.end_headers()
        self.wfile.write(msgspec.json.encode(body))

    def log_message(self, format: str, *_: object) -> None:
        """Not to the screen."""


@pytest.fixture
def door() -> Iterator[Doorkeeper]:
    server = Doorkeeper(("127.0.0.1", 0), _Handler)
    server.shown = []
    thread = Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def settings_with(home: Path, door: Doorkeeper, **given: str) -> OperatorSettings:
    here = f"http://127.0.0.1:{door.server_port}"
    urls = {f"OPERATOR_{name}_URL": here for name in ("BOOKING", "REBOOKING", "NOTIFICATIONS", "SANDBOX")}
    return operator_settings({"DAYBOOK_HOME": str(home), **urls, **given})


def test_a_short_lived_operators_token_of_the_homes_own_key_is_shown_and_kept_for_a_while(
    tmp_path: Path, door: Doorkeeper
) -> None:
    published_keys(Home(tmp_path))
    settings = settings_with(tmp_path, door)
    ask(settings, "booking", "GET", "/v1/status")
    ask(settings, "rebooking", "GET", "/v1/status")
    first, second = door.shown
    assert first == second
    said = jwt.decode((first or "").removeprefix("Bearer "), options={"verify_signature": False})
    assert "daybook/operate" in said["scope"].split()
    assert said["exp"] - said["iat"] <= 15 * 60


def test_a_token_from_outside_is_shown_instead(tmp_path: Path, door: Doorkeeper) -> None:
    published_keys(Home(tmp_path))
    ask(settings_with(tmp_path, door, DAYBOOK_TOKEN="given"), "booking", "GET", "/v1/status")
    assert door.shown == ["Bearer given"]


def test_a_token_in_a_file_is_read_anew_each_time(tmp_path: Path, door: Doorkeeper) -> None:
    file = tmp_path / "token"
    settings = settings_with(tmp_path, door, DAYBOOK_TOKEN_FILE=str(file))
    with pytest.raises(Refusal, match=r"No token can be read from .*/token"):
        ask(settings, "booking", "GET", "/v1/status")
    for token in ("first", "second"):
        file.write_text(f"{token}\n")
        ask(settings, "booking", "GET", "/v1/status")
    assert door.shown == ["Bearer first", "Bearer second"]


def test_nobody_but_a_service_is_shown_a_token(tmp_path: Path, door: Doorkeeper) -> None:
    ask(settings_with(tmp_path, door, DAYBOOK_TOKEN="given"), "sandbox", "GET", "/livez")
    assert door.shown == [None]


@pytest.mark.parametrize(
    ("key", "given", "advice"),
    [
        (False, {}, "there is no token to show: give the command where `daybook up` runs"),
        (True, {}, "it takes tokens of another issuer"),
        (True, {"DAYBOOK_TOKEN": "given"}, "put another token into DAYBOOK_TOKEN"),
    ],
)
def test_who_is_not_let_in_reads_why_and_what_to_do(
    tmp_path: Path, door: Doorkeeper, key: bool, given: dict[str, str], advice: str
) -> None:
    if key:
        published_keys(Home(tmp_path))
    door.answer = (401, {"detail": "The token has expired", "code": "bad-token"})
    settings = settings_with(tmp_path, door, **given)
    with pytest.raises(Refusal, match="booking does not let us in") as refused:
        ask(settings, "booking", "GET", "/v1/status")
    assert "The token has expired" in refused.value.message
    assert advice in refused.value.message
    states = [service.state for service in asyncio.run(look(settings)).services]
    assert all(advice in state for state in states)


def test_who_may_not_reads_which_token_may(tmp_path: Path, door: Doorkeeper) -> None:
    door.answer = (403, {"detail": "This is for operators", "code": "missing-scope"})
    with pytest.raises(Refusal, match="This is for operators; `daybook token --operator` prints such a token"):
        ask(settings_with(tmp_path, door, DAYBOOK_TOKEN="a practice's"), "rebooking", "GET", "/v1/outages")
