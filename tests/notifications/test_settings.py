"""Settings under which a patient could be texted twice are refused."""

import pytest

from services.notifications.settings import NotificationsSettings
from shared.refusals import Refusal
from tests.harness import MASTER_KEY
from tests.notifications.sandbox import KEY, TOKEN

GIVEN = {
    "DAYBOOK_DATABASE_URL": "postgresql://daybook:pw@db.example:5432/postgres",
    "DAYBOOK_NATS_URL": "nats://notifications:pw@nats.example:4222",
    "DAYBOOK_MASTER_KEY": MASTER_KEY,
    "DAYBOOK_TOKEN_KEYS": "https://issuer.example/jwks.json",
    "NOTIFICATIONS_GATEWAY_KEY": KEY,
    "NOTIFICATIONS_CALLBACK_TOKEN": TOKEN,
}


def test_what_is_given_by_default_is_safe() -> None:
    settings = NotificationsSettings.from_environment(GIVEN)

    assert settings.settle > settings.gateway_timeout


def test_a_request_still_waited_for_is_never_taken_for_one_that_did_not_arrive() -> None:
    with pytest.raises(Refusal, match="settle must be longer than gateway_timeout"):
        NotificationsSettings.from_environment(GIVEN | {"NOTIFICATIONS_SETTLE": "10"})
