"""Pages of the change feed: wherever one ends, the next begins with what follows, and nothing is told twice."""

import asyncio
from collections.abc import Sequence
from itertools import product

from services.booking.changes import Change, cursor_of, read_page
from services.booking.cursors import BEGINNING, Cursor, read_cursor
from shared.log import head_position
from shared.service import Running
from tests.booking.paper import BOB, row
from tests.booking.surgery import Surgery, surgery
from tests.harness import County


async def paged(service: Running, practice: str, after: Cursor, limit: int, scanned: int = 100) -> Sequence[Change]:
    """All there is now, page by page, as a caller goes on: after `next`, while there is `more`."""
    found, more = list[Change](), True
    async with service.engine.connect() as connection:
        while more:
            page = await read_page(service, connection, practice, after, limit, scanned)
            found += page.changes
            after, more = read_cursor(page.next, "next"), page.more
    return found


async def busy_morning(desk: Surgery) -> None:
    """Changes of one practice between those of the other: some alone, some several in a row."""
    await desk.import_diary(row(), row(practice="B2"), row(BOB, start="2024-07-22T09:10"))
    for minutes in ("20", "30", "40"):
        await desk.import_diary(row(practice="B2", session=f"After {minutes}", start=f"2024-07-22T1{minutes[0]}:00"))
    await desk.book((await desk.slots("practice", status="free"))[0]["id"])
    await desk.import_diary(row(practice="B2", session="Last", start="2024-07-23T10:00"))


async def test_wherever_a_page_ends_the_next_goes_on_and_every_place_can_be_begun_at(county: County) -> None:
    async with surgery(county) as desk:
        (service,) = county.at_work
        await busy_morning(desk)
        await county.caught_up()
        everything = await paged(service, "", BEGINNING, 1000)
        theirs = {"": everything} | {
            practice: [each for each in everything if each.practice == practice] for practice in ("A1", "B2")
        }
        for (practice, expected), limit, scanned in product(theirs.items(), (1, 2, 3), (1, 2, 5)):
            assert await paged(service, practice, BEGINNING, limit, scanned) == expected
        async with service.engine.connect() as connection:
            end = await head_position(connection)
            places = [await cursor_of(connection, position) for position in range(end + 1)]
        for place in places:
            rest = [each for each in theirs["A1"] if read_cursor(each.cursor, "cursor").position > place.position]
            assert await paged(service, "A1", place, 2, 2) == rest
    assert len(theirs["A1"]) > 3 < len(theirs["B2"])
    assert len({each.id for each in everything}) == len(everything) == end


async def test_who_reads_while_others_write_gets_everything_once_and_in_order(county: County) -> None:
    async with surgery(county) as desk:
        (service,) = county.at_work
        rows = [row(session=f"Session {hour}", start=f"2024-07-22T{hour:02}:00") for hour in range(8, 18)]
        writing = asyncio.gather(*(desk.import_diary(each) for each in rows))
        heard, after = list[Change](), BEGINNING
        while not writing.done():
            heard += await paged(service, "A1", after, 2, 3)
            after = read_cursor(heard[-1].cursor, "cursor") if heard else after
        await writing
        await county.caught_up()
        everything = await paged(service, "A1", BEGINNING, 1000)
        heard += await paged(service, "A1", after, 1)
    assert heard == everything
    assert len(heard) == 1 + len(rows)
