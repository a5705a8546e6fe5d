"""The log carried away into a file and brought back is the same log; a file that was cut or altered is refused."""

import gzip
from collections.abc import AsyncIterator, Callable
from io import BytesIO
from pathlib import Path

import msgspec
import pytest
from msgspec import Raw

from shared.carry import Carried, export_log
from shared.carry_back import check_file, import_log
from shared.portable import VERSION, Event, Header, Key, Writer
from shared.refusals import Conflict, Refusal
from tests.harness import County
from tests.shared.copies import Copies, a_history, both_at_work, copies_of, untold
from tests.shared.test_follow import registered
from tests.shared.test_rebuild import restored
from tests.shared.toys import outages, practices


@pytest.fixture
async def copies(county: County) -> AsyncIterator[Copies]:
    await a_history(county)
    async with copies_of(county) as both:
        yield both


async def exported(copies: Copies, path: Path, *, first: int = 1, last: int | None = None) -> Carried:
    with path.open("wb") as file:
        return await export_log(copies.client, file, first=first, last=last, tell=untold)


def a_file(path: Path, *, events: int = 2500, version: int = VERSION, alter: tuple[bytes, bytes] = (b"", b"")) -> Path:
    """A whole file of so many made-up events, in blocks of a thousand lines."""
    file = BytesIO()
    writer = Writer(file, Header(version=version, stream_created="then", first=1, last=events))
    writer.key(Key(subject="daybook-keys.booking.someone", wrapped=b"wrapped"))
    for sequence in range(1, events + 1):
        recorded = registered(sequence, f"G{sequence}")
        body = Raw(recorded.body.replace(*alter))
        writer.event(Event(sequence=sequence, subject=recorded.subject, body=body))
    writer.end()
    path.write_bytes(file.getvalue())
    return path


async def test_what_is_carried_away_and_brought_back_is_the_same_byte_for_byte(copies: Copies, tmp_path: Path) -> None:
    before, file = await copies.stream(), tmp_path / "log.gz"
    carried = await exported(copies, file)
    await copies.county.servers.fresh_streams()

    imported = await import_log(copies.client, file, tell=untold)

    assert (carried.end.events, carried.end.keys, imported.added) == (11, 3, 11)
    assert imported.end == carried.end
    after = await copies.stream()
    assert [(s.sequence, s.subject, s.body) for s in after] == [(s.sequence, s.subject, s.body) for s in before]
    assert (await copies.verified()).equal
    assert (await import_log(copies.client, file, tell=untold)).added == 0


async def test_databases_are_restored_from_a_log_that_was_brought_back(copies: Copies, tmp_path: Path) -> None:
    county, file = copies.county, tmp_path / "log.gz"
    await exported(copies, file)
    await county.servers.fresh_streams()
    for blueprint in (practices.BLUEPRINT, outages.BLUEPRINT):
        await county.lose_database(blueprint)
    await import_log(copies.client, file, tell=untold)

    for blueprint, kind in ((practices.BLUEPRINT, practices.Settings), (outages.BLUEPRINT, outages.Settings)):
        await restored(county, blueprint, (await county.settings(blueprint, kind)).database_url)

    async with both_at_work(county), copies_of(county) as again:
        await county.caught_up()
        verified = await again.verified()
        assert (verified.equal, verified.events, verified.services["booking"].keys) == (True, 11, 3)


async def test_services_whose_stream_was_brought_back_go_on_after_a_republishing(
    copies: Copies, tmp_path: Path
) -> None:
    file = tmp_path / "log.gz"
    await exported(copies, file, last=6)
    await copies.county.servers.fresh_streams()
    await import_log(copies.client, file, tell=untold)

    republished = await copies.republished()

    assert (republished.found, republished.added) == (6, 5)
    async with both_at_work(copies.county):
        await copies.county.caught_up()


async def test_a_range_is_carried_and_is_brought_back_only_after_what_comes_before_it(
    copies: Copies, tmp_path: Path
) -> None:
    before, early, late = await copies.stream(), tmp_path / "early.gz", tmp_path / "late.gz"
    await exported(copies, early, last=4)
    await exported(copies, late, first=5)
    await copies.county.servers.fresh_streams()

    with pytest.raises(Conflict, match="the file begins at sequence 5, and the stream ends at 0"):
        await import_log(copies.client, late, tell=untold)
    await import_log(copies.client, early, tell=untold)
    await import_log(copies.client, late, tell=untold)

    assert [stored.body for stored in await copies.stream()] == [stored.body for stored in before]


async def test_a_range_that_is_reversed_or_that_the_stream_has_not_is_refused(copies: Copies, tmp_path: Path) -> None:
    for first, last in ((5, 3), (1, 12), (13, None), (0, 4)):
        with pytest.raises(Refusal, match="the stream holds sequences 1 to 11"):
            await exported(copies, tmp_path / "log.gz", first=first, last=last)


async def test_nothing_is_imported_over_another_log(copies: Copies, tmp_path: Path) -> None:
    file = tmp_path / "log.gz"
    first, second, *others = await copies.stream()
    await exported(copies, file)
    await copies.only([first, second._replace(body=second.body.replace(b"Surgery G2", b"Surgery G9"))])

    with pytest.raises(Conflict, match="at sequence 2 it is not what the file holds"):
        await import_log(copies.client, file, tell=untold)

    assert len(await copies.stream()) == 2
    assert others


async def test_of_a_file_that_is_not_whole_nothing_is_imported(copies: Copies, tmp_path: Path) -> None:
    file = tmp_path / "log.gz"
    await exported(copies, file)
    file.write_bytes(file.read_bytes()[:-3])
    await copies.county.servers.fresh_streams()

    with pytest.raises(Refusal, match="cut short"):
        await import_log(copies.client, file, tell=untold)

    assert await copies.stream() == []


def test_a_whole_file_says_what_it_holds_and_zcat_reads_it(tmp_path: Path) -> None:
    header, end = check_file(a_file(tmp_path / "log.gz"))

    assert (header.first, header.last, end.events, end.keys) == (1, 2500, 2500, 1)
    lines = gzip.decompress((tmp_path / "log.gz").read_bytes()).splitlines()
    kinds = [msgspec.json.decode(line)["line"] for line in lines]
    assert (kinds[0], kinds.count("event"), kinds.count("block"), kinds[-2:]) == (
        "daybook-log",
        2500,
        5,
        ["end", "block"],
    )


@pytest.mark.parametrize("part", [0.0, 0.1, 0.5, 0.9, 0.999])
def test_a_file_cut_anywhere_is_refused(tmp_path: Path, part: float) -> None:
    file = a_file(tmp_path / "log.gz")
    content = file.read_bytes()
    file.write_bytes(content[: int(len(content) * part)])

    with pytest.raises(Refusal, match=r"is cut short: it ends after [\d,]+ events, and its last line is missing"):
        check_file(file)


@pytest.mark.parametrize("part", [0.001, 0.2, 0.5, 0.8, 0.999])
def test_a_file_with_one_bit_altered_is_refused_with_the_place(tmp_path: Path, part: float) -> None:
    file = a_file(tmp_path / "log.gz")
    content = bytearray(file.read_bytes())
    content[int(len(content) * part)] ^= 8
    file.write_bytes(bytes(content))

    with pytest.raises(Refusal, match=r"block \d, at byte [\d,]+|is cut short"):
        check_file(file)


def blocks(content: bytes) -> list[bytes]:
    """Each gzip member of a file, as it is."""
    return [b"\x1f\x8b" + each for each in content.split(b"\x1f\x8b")[1:]]


@pytest.mark.parametrize(
    ("forge", "complaint"),
    [
        (lambda parts: parts[:2] + parts[3:], "event 1000 is missing there"),
        (lambda parts: [parts[0], parts[2], parts[1], *parts[3:]], "event 1 is missing there"),
        (lambda parts: parts[1:], "it does not say what the file is"),
        (lambda parts: [*parts[:3], parts[2], *parts[3:]], "event 2000 is missing there"),
        (lambda parts: [*parts[:-2], parts[-1]], "a block before it is missing or another file's"),
        (lambda parts: [*parts, parts[0]], "something follows its end"),
        (lambda _: [gzip.compress(b'{"line":"cat"}\n')], "it is not of a file of `daybook log export`"),
        (lambda _: [b"no gzip at all"], "it does not unpack"),
    ],
)
def test_a_file_whose_blocks_were_changed_is_refused(
    tmp_path: Path, forge: Callable[[list[bytes]], list[bytes]], complaint: str
) -> None:
    file = a_file(tmp_path / "log.gz")
    file.write_bytes(b"".join(forge(blocks(file.read_bytes()))))

    with pytest.raises(Refusal, match=complaint):
        check_file(file)


@pytest.mark.parametrize(
    ("alter", "complaint"),
    [
        ((b"practice-registered.v1", b"practice-enlarged.v1"), "event type 'uk.daybook.booking.practice-enlarged.v1'"),
        ((b'"practice":"G1"', b'"practice":"G9"'), "it is not what its subject daybook.booking.G1.practice-registered"),
        ((b'"position":1', b'"place":1'), "not a Daybook event"),
    ],
)
def test_a_file_with_an_event_that_this_version_does_not_know_is_refused(
    tmp_path: Path, alter: tuple[bytes, bytes], complaint: str
) -> None:
    with pytest.raises(Refusal, match=f"event 1 of the file cannot be imported: {complaint}"):
        check_file(a_file(tmp_path / "log.gz", events=3, alter=alter))


def test_a_file_of_a_later_format_or_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refusal, match="is of format 9; this version of Daybook reads 1"):
        check_file(a_file(tmp_path / "log.gz", version=9))
    with pytest.raises(Refusal, match="cannot be read: No such file"):
        check_file(tmp_path / "none.gz")
