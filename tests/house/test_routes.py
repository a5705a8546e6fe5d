"""The routes: docs/api.md lists each one that a service answers, and none that it does not."""

import base64
import re
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI

from services.booking import app as booking
from services.notifications import app as notifications
from services.rebooking import app as rebooking

PAGE = Path(__file__).parents[2] / "docs" / "api.md"

UNREACHED: dict[str, Any] = {
    "database_url": "postgresql://nobody@127.0.0.1:1/none",
    "nats_url": "nats://127.0.0.1:1",
    "master_key": base64.b64encode(bytes(32)).decode(),
    "token_keys": "https://nobody.example/jwks.json",
}
GATEWAY: dict[str, Any] = {"gateway_key": f"none-{'0' * 36}-{'1' * 36}", "callback_token": "none"}


def _apps() -> dict[str, FastAPI]:
    return {
        "booking": booking.create(booking.Settings(**UNREACHED)),
        "rebooking": rebooking.create(rebooking.Settings(**UNREACHED)),
        "notifications": notifications.create(notifications.Settings(**UNREACHED, **GATEWAY)),
    }


def _answered(app: FastAPI) -> set[str]:
    paths = app.openapi()["paths"]
    return {f"{method.upper()} {path}" for path, methods in paths.items() for method in methods}


def _listed(section: str) -> set[str]:
    _, _, rest = PAGE.read_text().partition(f"\n## {section}\n")
    return set(re.findall(r"^\| `([A-Z]+ [^`]+)` \|", rest.partition("\n## ")[0], re.MULTILINE))


@pytest.mark.parametrize("service", ["booking", "rebooking", "notifications"])
def test_a_service_answers_just_the_routes_that_are_listed(service: str) -> None:
    assert _answered(_apps()[service]) == _listed(service) | _listed("every service")
