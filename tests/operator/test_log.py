"""`daybook log` as an operator meets it: what it prints, what it refuses, and its exit codes."""

import asyncio
import io
import os
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from services.booking.app import BLUEPRINT as BOOKING
from services.booking.app import Settings as BookingSettings
from services.booking.commands import RegisterPractice
from services.notifications.app import BLUEPRINT as NOTIFICATIONS
from services.operator.app import main
from services.rebooking.app import BLUEPRINT as REBOOKING
from services.rebooking.app import Settings as RebookingSettings
from tests.harness import County

Daybook = Callable[..., tuple[int, str, str]]


@pytest.fixture
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Daybook:
    """Runs the command in a home where nothing runs; gives exit code, output and complaints."""
    monkeypatch.setenv("DAYBOOK_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COLUMNS", "200")

    def run(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["daybook", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        assert isinstance(ended.value.code, int)
        return ended.value.code, said.out, said.err

    return run


@pytest.fixture
async def daybook(county: County, alone: Daybook, monkeypatch: pytest.MonkeyPatch) -> Daybook:
    """The same where a county's databases and its broker are elsewhere; one practice has been registered."""
    monkeypatch.setenv("OPERATOR_NATS_URL", county.servers.nats.url("operator"))
    monkeypatch.setenv("NOTIFICATIONS_DATABASE_URL", await county.servers.database(NOTIFICATIONS))
    monkeypatch.setenv("BOOKING_DATABASE_URL", (await county.settings(BOOKING, BookingSettings)).database_url)
    monkeypatch.setenv("REBOOKING_DATABASE_URL", (await county.settings(REBOOKING, RebookingSettings)).database_url)
    async with county.service(BOOKING, BookingSettings) as booking, county.service(REBOOKING, RebookingSettings):
        await booking.keys.ensure({"patient-1"})
        for code in ("G82001", "G82002", "G82003"):
            await booking.executor.execute(RegisterPractice(code, f"Surgery {code}"))
        await county.caught_up()
    return alone


async def test_equal_copies_are_said_to_be_equal(daybook: Daybook) -> None:
    code, out, _ = await asyncio.to_thread(daybook, "log", "verify")
    assert (code, "Both copies are equal: 3 events" in out) == (0, True)

    code, out, _ = await asyncio.to_thread(daybook, "log", "verify", "--json")
    facts = msgspec.json.decode(out)
    assert (code, facts["equal"], facts["services"]["booking"]["equal"], facts["difference"]) == (0, True, 3, None)


async def test_a_lost_stream_is_told_and_made_again(county: County, daybook: Daybook) -> None:
    await county.servers.fresh_streams()
    code, out, _ = await asyncio.to_thread(daybook, "log", "verify")
    assert code == 1
    assert "They differ: the stream ends at event 0 of booking, but" in out
    assert "Run `daybook log republish`" in out

    code, out, err = await asyncio.to_thread(daybook, "log", "republish", "--yes")
    assert code == 0, err
    assert "The stream holds 3 events and 1 keys: 0 were there, 3 were added" in out
    assert (await asyncio.to_thread(daybook, "log", "verify"))[0] == 0


async def test_nothing_is_republished_unasked(
    county: County, daybook: Daybook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    await county.servers.fresh_streams()
    code, _, err = await asyncio.to_thread(daybook, "log", "republish")
    assert (code, "Publish into the stream" in err) == (1, True)
    assert (await asyncio.to_thread(daybook, "log", "verify"))[0] == 1


async def test_the_log_is_carried_away_and_brought_back(county: County, daybook: Daybook, tmp_path: Path) -> None:
    file = str(tmp_path / "county.log.gz")
    code, out, err = await asyncio.to_thread(daybook, "log", "export", file)
    assert (code, "3 events (sequences 1 to 3) and 1 keys" in out) == (0, True), err
    code, _, err = await asyncio.to_thread(daybook, "log", "export", file)
    assert (code, "is there already: nothing was written over it" in err) == (2, True)

    await county.servers.fresh_streams()
    code, out, _ = await asyncio.to_thread(daybook, "log", "import", file, "--verify-only")
    assert (code, "The file is whole: 3 events" in out) == (0, True)
    code, out, _ = await asyncio.to_thread(daybook, "log", "import", file)
    assert (code, "3 events were new to the stream" in out) == (0, True)
    assert (await asyncio.to_thread(daybook, "log", "verify"))[0] == 0


async def test_of_a_range_that_is_not_there_no_file_is_left(daybook: Daybook, tmp_path: Path) -> None:
    code, _, err = await asyncio.to_thread(daybook, "log", "export", str(tmp_path / "log.gz"), "--from", "9")
    assert (code, "the stream holds sequences 1 to 3" in err) == (2, True)
    code, _, err = await asyncio.to_thread(
        daybook, "log", "export", str(tmp_path / "log.gz"), "--from", "3", "--until", "1"
    )
    assert (code, "and 3 to 1 is no range of them" in err) == (2, True)
    assert os.listdir(tmp_path) == []


async def test_a_database_that_is_not_empty_is_not_restored_over(daybook: Daybook) -> None:
    """Rebooking has recorded nothing, but it has followed booking."""
    for service in ("booking", "rebooking"):
        code, _, err = await asyncio.to_thread(daybook, "log", "restore", service)
        assert (code, f"the database of {service} is not empty: nothing was restored" in err) == (2, True)
        assert f"`daybook log restore {service} --set-aside` keeps it under another name" in err


async def test_a_database_is_not_set_aside_for_a_stream_that_has_less_or_while_somebody_is_at_work_in_it(
    county: County, daybook: Daybook
) -> None:
    async with county.service(BOOKING, BookingSettings):
        code, _, err = await asyncio.to_thread(daybook, "log", "restore", "booking", "--set-aside")
    assert (code, "somebody is connected to the database of booking: stop booking" in err) == (2, True)

    await county.servers.fresh_streams()
    code, _, err = await asyncio.to_thread(daybook, "log", "restore", "booking", "--set-aside")
    assert (code, "the stream holds 0 events of booking, its database 3: nothing was restored" in err) == (2, True)
    assert "`daybook log republish` adds what the stream lacks" in err


async def test_a_database_that_is_gone_is_named(
    county: County, daybook: Daybook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REBOOKING_DATABASE_URL", county.servers.postgres.url("no_such_database"))
    code, _, err = await asyncio.to_thread(daybook, "log", "verify")
    assert code == 2
    assert "the database of rebooking is gone: if the stream is whole, `daybook log restore rebooking`" in err


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("log", "restore", "cats"), "there is no service “cats”, only booking, rebooking, notifications"),
        (("log", "import", "/no/such/file.gz"), "/no/such/file.gz cannot be read: No such file"),
        (("log", "import", "/no/such/file.gz", "--verify-only"), "/no/such/file.gz cannot be read: No such file"),
        (("log", "import", __file__, "--verify-only"), "has been altered, or is no exported log: block 1, at byte 0"),
        (("log", "export", "/no/such/place/log.gz"), "/no/such/place/log.gz cannot be written: No such file"),
    ],
)
def test_bad_input_is_refused_by_the_name_of_what_is_wrong(
    alone: Daybook, words: tuple[str, ...], complaint: str
) -> None:
    code, out, err = alone(*words)
    assert (code, out) == (2, "")
    assert complaint in err
    assert len(err.strip().splitlines()) == 1
