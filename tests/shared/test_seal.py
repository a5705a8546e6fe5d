"""Without a patient's key, what identifies the patient is noise; with it, it is there, whoever made the key."""

import asyncio
import base64

import pytest
from sqlalchemy import text

from shared.seal import DataKey, Keys, MasterKeyChanged, PatientBlock, SealBroken, opened
from tests.harness import MASTER_KEY, County
from tests.shared.test_rebuild import restored
from tests.shared.toys import outages, practices
from tests.waiting import DEADLINE

ANNA = PatientBlock(nhs_number="9990000018", given_name="Anna", family_name="Marsh", mobile="+447700900001")


def test_what_is_sealed_opens_with_the_same_key_only() -> None:
    key, other = DataKey("anna", bytes(32)), DataKey("anna", bytes([1] * 32))

    sealed = key.seal(ANNA)

    assert key.open(sealed, PatientBlock) == ANNA
    assert "Anna" not in sealed
    with pytest.raises(SealBroken):
        other.open(sealed, PatientBlock)


def test_a_seal_does_not_open_for_another_subject() -> None:
    with pytest.raises(SealBroken):
        DataKey("bert", bytes(32)).open(DataKey("anna", bytes(32)).seal(ANNA), PatientBlock)


def test_what_was_sealed_before_its_subject_was_erased_is_nothing_to_the_key_made_since() -> None:
    sealed = DataKey("anna", bytes(32)).seal(ANNA)

    assert opened(DataKey("anna", bytes(32)), sealed, PatientBlock) == ANNA
    assert opened(DataKey("anna", bytes([1] * 32)), sealed, PatientBlock) is None
    assert opened(None, sealed, PatientBlock) is None
    assert opened(DataKey("anna", bytes(32)), "", PatientBlock) is None


def test_a_text_that_was_cut_short_or_is_none_does_not_open_either() -> None:
    key = DataKey("anna", bytes(32))
    sealed = key.seal(ANNA)
    for damaged in (sealed[:-3], sealed[:-4], sealed[:8], "A", "é"):
        with pytest.raises(SealBroken, match="does not open with this key"):
            key.open(damaged, PatientBlock)


async def test_a_pseudonym_is_always_the_same_and_differs_by_kind(county: County) -> None:
    async with county.service(practices.BLUEPRINT, practices.Settings) as booking:
        patient = booking.keys.pseudonym("patient", "9990000018")

        assert patient == booking.keys.pseudonym("patient", "9990000018")
        assert patient != booking.keys.pseudonym("number", "9990000018")
        assert "9990000018" not in patient


async def test_another_service_finds_the_key_in_the_keys_stream(county: County) -> None:
    async with (
        county.service(practices.BLUEPRINT, practices.Settings) as booking,
        county.service(outages.BLUEPRINT, outages.Settings) as rebooking,
    ):
        made = await booking.keys.ensure(["anna", "bert"])
        sealed = made["anna"].seal(ANNA)
        await booking.executor.execute(practices.Register("G1", "Harbour Surgery"))

        found = await rebooking.keys.find(["anna", "bert", "nobody"])

        assert found["anna"].open(sealed, PatientBlock) == ANNA
        assert set(found) == {"anna", "bert"}


async def test_asking_twice_gives_the_same_key(county: County) -> None:
    async with county.service(practices.BLUEPRINT, practices.Settings) as booking:
        sealed = (await booking.keys.ensure(["anna"]))["anna"].seal(ANNA)

    async with county.service(practices.BLUEPRINT, practices.Settings) as booking:
        assert (await booking.keys.ensure(["anna"]))["anna"].open(sealed, PatientBlock) == ANNA


async def test_with_another_master_key_no_key_opens_and_that_is_said(county: County) -> None:
    async with county.service(practices.BLUEPRINT, practices.Settings) as booking:
        await booking.keys.ensure(["anna"])
        other = Keys(base64.b64encode(bytes(32)).decode(), booking.engine, booking.broker)

        with pytest.raises(MasterKeyChanged, match="was the master key changed"):
            await other.find(["anna"])


async def test_callers_who_ask_at_once_are_given_the_same_key(county: County) -> None:
    """Each from a memory of its own, as if from another process."""
    async with county.service(practices.BLUEPRINT, practices.Settings) as booking:
        desks = [Keys(MASTER_KEY, booking.engine, booking.broker) for _ in range(8)]

        made = await asyncio.gather(*(desk.ensure(["anna", "bert", "cleo"]) for desk in desks))

        sealed = made[0]["anna"].seal(ANNA)
        assert [keys["anna"].open(sealed, PatientBlock) for keys in made] == [ANNA] * 8


async def test_who_has_a_key_keeps_it_when_others_are_given_theirs(county: County) -> None:
    async with county.service(practices.BLUEPRINT, practices.Settings) as booking:
        sealed = (await booking.keys.ensure(["anna"]))["anna"].seal(ANNA)

        both = await Keys(MASTER_KEY, booking.engine, booking.broker).ensure(["anna", "bert"])

        assert both["anna"].open(sealed, PatientBlock) == ANNA
        assert both.keys() == {"anna", "bert"}


async def test_keys_come_back_when_the_database_that_made_them_is_restored(county: County) -> None:
    async with county.service(practices.BLUEPRINT, practices.Settings) as booking:
        sealed = (await booking.keys.ensure(["anna"]))["anna"].seal(ANNA)
        await booking.executor.execute(practices.Register("G1", "Harbour Surgery"))
    await county.lose_database(practices.BLUEPRINT)
    settings = await county.settings(practices.BLUEPRINT, practices.Settings)
    await restored(county, practices.BLUEPRINT, settings.database_url)

    async with county.service(practices.BLUEPRINT, practices.Settings) as booking:
        again = await booking.keys.ensure(["anna", "bert"])

        assert again["anna"].open(sealed, PatientBlock) == ANNA


async def test_a_key_is_never_copied_over_another(county: County) -> None:
    async with county.service(practices.BLUEPRINT, practices.Settings) as booking:
        await booking.keys.ensure(["anna"])
        await booking.executor.execute(practices.Register("G1", "Harbour Surgery"))
        async with booking.engine.begin() as connection:
            await connection.execute(text("UPDATE data_keys SET wrapped = 'another', copied = false"))

        async with asyncio.timeout(DEADLINE):
            while not booking.relay.halted:  # noqa: ASYNC110
                await asyncio.sleep(0.01)

        assert "another key" in booking.relay.halted
