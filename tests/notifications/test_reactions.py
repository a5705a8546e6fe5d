"""What follows from a move."""

from sqlalchemy import select

from services.notifications.app import BLUEPRINT, Settings
from services.notifications.commands import SuppressNumber
from services.notifications.conversations_rows import read_sharing
from services.notifications.reactions import react
from services.notifications.replies import code_of
from services.notifications.tables import calls, messages
from services.notifications.wording import Text
from shared.broker import connect
from shared.rebuild import rebuild
from tests.harness import County
from tests.notifications.diary import NOW, PRACTICE, Diary
from tests.notifications.telephones import telephones
from tests.notifications.town import QUICK, states


async def test_a_move_plans_one_message_with_every_word_sealed(county: County) -> None:
    async with county.service(BLUEPRINT, Settings, **QUICK) as running:
        diary = Diary(county, running)
        await diary.register()
        (moved,) = await diary.move(7)
        await county.caught_up()

        async with running.engine.connect() as connection:
            row = (await connection.execute(select(messages))).one()
        keys = await running.keys.find({moved.patient})
        text = keys[moved.patient].open(row.sealed, Text)
        assert text.to == moved.mobile
        assert text.body.startswith("Sam7, Harbour Surgery has moved your appointment to Tuesday 23 July 2024 at 10am.")
        assert moved.mobile not in str(row)
        assert "Sam7" not in str(row)


async def test_a_move_to_another_practice_says_whose_patient_it_is_and_where_to_go(county: County) -> None:
    async with county.service(BLUEPRINT, Settings, **QUICK) as running:
        diary = Diary(county, running)
        await diary.register()
        await diary.move_away(7)
        await county.caught_up()

        async with running.engine.connect() as connection:
            row = (await connection.execute(select(messages))).one()
        keys = await running.keys.find({row.patient})
        text = keys[row.patient].open(row.sealed, Text)
        assert text.body.startswith("Sam7, Harbour Surgery has moved your appointment to Tuesday 23 July 2024 at 10am,")
        assert "at another GP surgery: Mill Lane, Deal CT14 6AA." in text.body
        assert row.practice == PRACTICE


async def test_who_cannot_be_texted_is_called(county: County) -> None:
    async with county.service(BLUEPRINT, Settings, **QUICK) as running:
        diary = Diary(county, running)
        await diary.register()
        number = running.keys.pseudonym("number", "+447700900101")
        await running.executor.execute(SuppressNumber(number, "STOP", ()))
        await diary.move(1, 2, 3, mobiles=["+447700900101", "", "+447700900103"])
        await county.caught_up()

        async with running.engine.connect() as connection:
            reasons = list(await connection.scalars(select(calls.c.reason).order_by(calls.c.reason)))
        assert reasons == ["The number wants no more texts", "There is no mobile number that can be texted"]
        assert len(await states(running)) == 1


async def test_a_move_that_has_given_way_to_another_is_not_told(county: County) -> None:
    async with county.service(BLUEPRINT, Settings, **QUICK) as running:
        diary = Diary(county, running)
        await diary.register()
        gave_way, stands = await diary.move_twice(1)
        await county.caught_up()
        async with running.engine.connect() as connection:
            reactions = await react(running, connection, [gave_way, stands])
        assert [reaction.cause for reaction in reactions] == [stands]


async def test_rebuilding_sends_nothing_and_gives_the_same_tables(county: County) -> None:
    async with county.service(BLUEPRINT, Settings, **QUICK) as running:
        diary = Diary(county, running)
        await diary.register()
        await diary.move(1, 2, 3)
        await county.caught_up()
        position = running.relay.position

        client = await connect(running.settings.nats_url, "notifications")
        result = await rebuild(BLUEPRINT, running.engine, client, verify_only=True, tell=lambda *_: None)
        await client.close()

        assert result.equal
        assert running.relay.position == position
        assert set((await states(running)).values()) == {"planned"}


async def test_only_a_telephone_that_is_asked_about_another_appointment_too_gets_a_code(county: County) -> None:
    async with telephones(county) as here:
        ann, bob, alone = await here.told(1, 2, 3, mobiles=["+447700900100"] * 2 + ["+447700900103"])
        (carol,) = await here.told(4, mobiles=["+447700900103"])
        await here.diary.cancel(ann)
        newer = await here.diary.move_on(bob)
        await county.caught_up()
        bodies = {each.message: await here.body(each.message) for each in (ann, bob, alone, carol, newer)}
    # Of those who share one, the first may have been written to before the other's move was heard of.
    for coded in (bob, carol):
        code = code_of(coded.message)
        assert f"Reply 2 {code} to change it, 3 {code} to cancel." in bodies[coded.message]
    for bare in (alone, newer):
        assert "Reply 2 to change it, 3 to cancel." in bodies[bare.message]


async def test_those_who_are_told_together_and_share_a_telephone_all_get_a_code(county: County) -> None:
    async with county.service(BLUEPRINT, Settings, **QUICK) as running, running.engine.connect() as connection:
        numbers = {"anns": "one", "bobs": "one", "carols": "another"}
        assert await read_sharing(connection, numbers, NOW) == {"anns", "bobs"}


async def test_of_a_text_that_would_break_a_rule_the_patient_is_told_by_telephone(county: County) -> None:
    async with county.service(BLUEPRINT, Settings, **QUICK) as running:
        diary = Diary(county, running)
        await diary.register("Surgery 999 000 0018")
        await diary.move(1)
        await county.caught_up()
        async with running.engine.connect() as connection:
            reasons = list(await connection.scalars(select(calls.c.reason)))
        assert reasons == ["The text may not be sent: it holds an NHS number"]
        assert await states(running) == {}
