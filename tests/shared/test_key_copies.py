"""Keys are put beside those that are there, many at a time, and never over another."""

from collections.abc import AsyncIterator

import pytest

from shared.broker import connect
from shared.key_copies import key_message, publish_keys
from shared.reading import stored_keys
from shared.refusals import Conflict
from shared.stream import Message
from shared.wire import Client
from tests.harness import County


@pytest.fixture
async def client(county: County) -> AsyncIterator[Client]:
    client = await connect(county.servers.nats.url("operator"), "operator")
    yield client
    await client.close()


def keys(*patients: str) -> list[Message]:
    return [key_message(f"daybook-keys.booking.{patient}", patient.encode()) for patient in patients]


async def there(client: Client) -> list[str]:
    return [patient async for batch in stored_keys(client, "booking") for patient, _ in batch]


async def test_where_some_are_there_already_the_others_are_added_at_once(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def one_by_one(*_: object) -> None:
        raise AssertionError("each key has been asked for")

    monkeypatch.setattr("shared.key_copies.copy_key", one_by_one)
    await publish_keys(client, keys("bert", "cleo"))

    await publish_keys(client, keys("anna", "bert", "cleo", "dora"))
    await publish_keys(client, keys("anna", "bert", "cleo", "dora"))

    assert sorted(await there(client)) == ["anna", "bert", "cleo", "dora"]


async def test_another_key_for_one_of_them_is_refused_and_none_is_added(client: Client) -> None:
    await publish_keys(client, [Message("daybook-keys.booking.bert", "bert", b"another", first=True)])

    with pytest.raises(Conflict, match="another key for a patient"):
        await publish_keys(client, keys("anna", "bert"))

    assert await there(client) == ["bert"]
