"""Settings under which a patient could be texted twice are refused."""

import pytest

from services.notifications.settings import NotificationsSettings
from shared.refusals import Refusal
from tests.harness import MASTER_KEY
from tests.notifications.sandbox import ACCOUNT, AUTH_TOKEN, KEY, SENDER, TOKEN

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


TWILIO = {
    "NOTIFICATIONS_TWILIO_ACCOUNT": ACCOUNT,
    "NOTIFICATIONS_TWILIO_TOKEN": AUTH_TOKEN,
    "NOTIFICATIONS_TWILIO_SENDER": SENDER,
}


@pytest.mark.parametrize(
    ("also", "providers"),
    [
        ({}, ("notify",)),
        (TWILIO, ("notify", "twilio")),
        (TWILIO | {"NOTIFICATIONS_FIRST": "twilio"}, ("twilio", "notify")),
    ],
)
def test_the_preferred_provider_comes_first(also: dict[str, str], providers: tuple[str, ...]) -> None:
    assert NotificationsSettings.from_environment(GIVEN | also).providers == providers


@pytest.mark.parametrize("missing", ["NOTIFICATIONS_TWILIO_TOKEN", "NOTIFICATIONS_TWILIO_SENDER"])
def test_an_account_without_token_or_sender_is_refused(missing: str) -> None:
    given = {name: value for name, value in (GIVEN | TWILIO).items() if name != missing}
    with pytest.raises(Refusal, match="twilio_account needs twilio_token and twilio_sender beside it"):
        NotificationsSettings.from_environment(given)


def test_a_preferred_provider_that_is_not_there_is_refused() -> None:
    with pytest.raises(Refusal, match="there is no twilio_account"):
        NotificationsSettings.from_environment(GIVEN | {"NOTIFICATIONS_FIRST": "twilio"})


def test_what_is_refused_quotes_no_secret() -> None:
    given = GIVEN | TWILIO | {"NOTIFICATIONS_TWILIO_SENDER": ""}
    with pytest.raises(Refusal) as refused:
        NotificationsSettings.from_environment(given)
    assert AUTH_TOKEN not in refused.value.message
