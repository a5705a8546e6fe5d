"""The story of an appointment: what the services tell of it, in one order, and who could not be asked."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from services.operator.app import main
from services.operator.embedded import free_ports
from services.operator.story import in_order
from tests.operator.answering import answering

Daybook = Callable[..., tuple[int, str, str]]


def told(service: str, position: int, minute: int, words: str, cause: str = "", happened: int | None = None) -> Any:
    return {
        "service": service,
        "position": position,
        "id": f"{service}-{position}",
        "type": "uk.daybook.x.y.v1",
        "practice": "A1",
        "at": f"2024-07-22T08:{minute:02}:00Z",
        "occurred_at": f"2024-07-22T08:{minute if happened is None else happened:02}:00Z",
        "causation": cause,
        "words": words,
    }


def test_nothing_comes_before_what_it_came_of_and_each_service_keeps_its_order() -> None:
    events = [
        told("booking", 7, 10, "moved", cause="rebooking-3"),
        told("rebooking", 3, 11, "asked"),
        told("rebooking", 4, 9, "confirmed", cause="booking-7"),
        told("notifications", 1, 1, "text", cause="booking-7"),
        told("booking", 2, 0, "booked"),
    ]
    assert [each["words"] for each in in_order(events)] == ["booked", "asked", "moved", "text", "confirmed"]


@contextmanager
def county(*down: str) -> Iterator[dict[str, str]]:
    """Three services that know of `old`, moved to `new`; but for those that are down."""
    answers = {
        "booking": {"old": ["old", "new"], "new": ["old", "new"]},
        "rebooking": {"old": ["old"]},
        "notifications": {"new": ["new"]},
    }
    events = {
        "booking": [told("booking", 1, 0, "booked at Harbour Surgery"), told("booking", 2, 20, "moved", "rebooking-1")],
        "rebooking": [told("rebooking", 1, 10, "lost", happened=1)],
        "notifications": [told("notifications", 1, 30, "a text about the new time was written", "booking-2")],
    }
    addresses = {}
    with ExitStack() as stack:
        for service, known in answers.items():
            found = {
                f"GET /v1/appointments/{id}/story": {
                    "appointments": known.get(id, []),
                    "events": events[service] if id in known else [],
                }
                for id in ("old", "new", "other")
            }
            running = stack.enter_context(answering(found))
            url = f"http://127.0.0.1:{free_ports(1)[0]}" if service in down else running.url
            addresses[f"OPERATOR_{service.upper()}_URL"] = url
        yield addresses


@pytest.fixture
def daybook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Daybook:
    monkeypatch.setenv("DAYBOOK_HOME", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "200")

    def run(addresses: dict[str, str], *words: str) -> tuple[int, str, str]:
        for name, url in addresses.items():
            monkeypatch.setenv(name, url)
        monkeypatch.setattr("sys.argv", ["daybook", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        assert isinstance(ended.value.code, int)
        return ended.value.code, said.out, said.err

    return run


def test_what_all_services_know_is_told_in_one_order_whichever_appointment_is_named(daybook: Daybook) -> None:
    with county() as addresses:
        told = {id: daybook(addresses, "story", id) for id in ("old", "new")}
        code, as_json, _ = daybook(addresses, "story", "new", "--json")
    assert told["old"] == told["new"]
    lines = [line.strip() for line in told["old"][1].splitlines()]
    assert lines == [
        "Mon 22 July 2024, 9:00am  booked at Harbour Surgery",
        "Mon 22 July 2024, 9:10am  lost (happened Mon 22 July 2024, 9:01am)",
        "Mon 22 July 2024, 9:20am  moved",
        "Mon 22 July 2024, 9:30am  a text about the new time was written",
    ]
    facts = msgspec.json.decode(as_json)
    assert (code, facts["missing"], set(facts["appointments"])) == (0, {}, {"old", "new"})
    assert len(facts["events"]) == 4


def test_it_says_what_is_missing_when_a_service_is_down(daybook: Daybook) -> None:
    with county("rebooking") as addresses:
        code, out, err = daybook(addresses, "story", "old")
    assert code == 1
    assert "booked at Harbour Surgery" in out
    assert "What this one knows is missing above: rebooking does not answer" in err


def test_nobody_knows_an_appointment_that_never_was(daybook: Daybook) -> None:
    with county() as addresses:
        assert daybook(addresses, "story", "other") == (2, "", "daybook: no service knows of an appointment “other”\n")
        assert "is not the id of an appointment" in daybook(addresses, "story", "a/b")[2]
