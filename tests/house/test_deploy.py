"""The deployment: configurations that the servers accept, pinned images, and no secret or address of anyone's."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from services.operator.embedded import NATS_USERS
from shared.settings import ServiceSettings

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
JOBS = {"streams", "booking-migrate", "rebooking-migrate", "notifications-migrate"}

COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
services = pytest.mark.parametrize("name", list(COMPOSE["services"]))


@services
def test_an_image_is_pinned(name: str) -> None:
    _, _, tag = COMPOSE["services"][name]["image"].partition(":")
    assert re.match(r"\d+\.\d+", tag)


@services
def test_a_process_that_stays_says_whether_it_is_well_and_a_job_has_an_end(name: str) -> None:
    service = COMPOSE["services"][name]
    if name in JOBS:
        assert service["healthcheck"] == {"disable": True}
        assert service["restart"] == "on-failure"
    else:
        assert "test" in service.get("healthcheck", {}) or "DAYBOOK_LIVE" in service["environment"]
        assert service["restart"] == "unless-stopped"


@services
def test_ports_are_open_to_this_host_only(name: str) -> None:
    assert all(port.startswith("127.0.0.1:") for port in COMPOSE["services"][name].get("ports", ()))


@services
def test_a_program_runs_without_rights_it_does_not_need(name: str) -> None:
    service = COMPOSE["services"][name]
    if service["image"].startswith("daybook:"):
        assert service["read_only"]
        assert service["cap_drop"] == ["ALL"]


def test_every_secret_comes_from_outside_and_new_secrets_makes_them_all() -> None:
    text = (DEPLOY / "compose.yaml").read_text()
    made = subprocess.run([sys.executable, DEPLOY / "new-secrets"], capture_output=True, text=True, check=True).stdout
    assert set(re.findall(r"\$\{(\w+)(?::\?)?\}", text)) == {line.partition("=")[0] for line in made.splitlines()}
    assert "deploy/.env" in (ROOT / ".gitignore").read_text().splitlines()


@pytest.mark.parametrize("name", ["booking", "rebooking", "notifications"])
def test_a_service_is_told_whose_tokens_count_and_how_many_requests_a_client_may_send(name: str) -> None:
    told = COMPOSE["services"][name]["environment"]
    assert told["DAYBOOK_TOKEN_KEYS"].startswith("${DAYBOOK_TOKEN_KEYS:?"), "no keys are better than anybody's"
    for setting, usual in (("requests_per_second", "50"), ("requests_burst", "200"), ("token_issuer", "daybook")):
        assert setting in ServiceSettings.model_fields
        variable = f"DAYBOOK_{setting.upper()}"
        assert told[variable] == f"${{{variable}:-{usual}}}"


def test_the_continuity_pack_is_looked_for_where_it_is_written_and_that_place_outlives_the_container() -> None:
    job = COMPOSE["services"]["continuity"]
    written, looked_at = (words[words.index("--to") + 1] for words in (job["command"], job["healthcheck"]["test"]))
    assert written == looked_at
    assert any(volume.endswith(f":{written}") for volume in job["volumes"])
    assert written in (DEPLOY / "Dockerfile").read_text(), "or it would be root's, and nobody could write there"
    assert "continuity" in COMPOSE["volumes"]


def test_the_image_is_built_from_packages_pinned_in_the_one_lock() -> None:
    lock, smaller = ((path / "requirements.lock").read_text() for path in (ROOT, DEPLOY))
    assert set(smaller.splitlines()) <= set(lock.splitlines())
    dockerfile = (DEPLOY / "Dockerfile").read_text()
    assert "--require-hashes" in dockerfile
    assert re.search(r"^USER [1-9]\d*$", dockerfile, re.MULTILINE)
    assert "HEALTHCHECK" in dockerfile


@pytest.mark.parametrize("configuration", ["daybook.conf", "cluster.conf"])
def test_the_nats_server_accepts_the_configuration(configuration: str, tmp_path: Path) -> None:
    environment = {
        **os.environ,
        "DAYBOOK_NATS_STORE": f'"{tmp_path}"',
        "DAYBOOK_NATS_NODE": "nats-1",
        "DAYBOOK_NATS_PASSWORD_NODE": '"0123"',
        "DAYBOOK_NATS_ROUTES": '["nats://node:0123@nats-1:6222", "nats://node:0123@nats-2:6222"]',
        **{f"DAYBOOK_NATS_PASSWORD_{user.upper()}": '"0123"' for user in NATS_USERS},
    }
    server = Path(sys.executable).with_name("nats-server")
    command = [str(server), "-t", "-c", str(DEPLOY / "nats" / configuration)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
