"""A small county's recovery, from the diaries to the last text, and what the log says of it afterwards."""

import asyncio
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import msgspec

from services.operator.broker import broker_of
from services.operator.county import Practice, diaries, made_up_practices, practices_csv
from services.operator.county_diary import Diary
from services.operator.demo_recovery import CAME_BACK, WENT_DOWN, paper
from services.operator.settings import OperatorSettings
from shared.events.booking import AppointmentBooked, AppointmentCancelled, AppointmentMoved, MoveRejected
from shared.events.envelope import Recorded, decode
from shared.events.notifications import MessageAccepted, MessagePlanned
from shared.events.rebooking import MoveConfirmed, MoveRefused, MoveRequested, PlanProposed
from shared.reading import reading
from shared.stream import STREAM
from tests.journeys.running import Daybook, until
from tests.waiting import DEADLINE

PRACTICES, APPOINTMENTS, SEED = 3, 150, 7
CSV = {"Content-Type": "text/csv"}


@dataclass(frozen=True, slots=True)
class District:
    """Some practices and their diaries: three with a hundred and fifty appointments on the lost Friday, as a rule."""

    practices: Sequence[Practice]
    diaries: Sequence[Diary]

    @property
    def codes(self) -> list[str]:
        return [practice.ods_code for practice in self.practices]


@dataclass(frozen=True, slots=True)
class Recovery:
    """One outage of one district, and its plan."""

    outage: str
    plan: str
    placed: int


def districts(count: int) -> Iterator[District]:
    """So many of them; nobody is a patient in two."""
    whole = district_of(PRACTICES * count, APPOINTMENTS * count)
    for first in range(0, PRACTICES * count, PRACTICES):
        yield District(whole.practices[first : first + PRACTICES], whole.diaries[first : first + PRACTICES])


def district_of(practices: int, appointments: int) -> District:
    """As large as one likes; always the same."""
    made_up = made_up_practices(practices, SEED)
    return District(made_up, list(diaries(made_up, appointments, SEED)))


def fill(daybook: Daybook, district: District, *, within: float = 2 * DEADLINE) -> None:
    """Register the practices and import their diaries."""
    daybook.ask("booking", "POST", "/v1/practices", content=practices_csv(district.practices), headers=CSV)
    for diary in district.diaries:
        daybook.ask("booking", "POST", "/v1/diary", content=diary.text.encode(), headers=CSV)
    daybook.at_rest(within=within)


def plan(daybook: Daybook, district: District, *, within: float = 2 * DEADLINE) -> Recovery:
    """Their outage, declared and reconciled, and the plan for it."""
    body = {"name": "Friday", "practices": district.codes, "started_at": WENT_DOWN, "ended_at": CAME_BACK}
    outage = daybook.ask("rebooking", "POST", "/v1/outages", json=body)["outage"]
    sheets = paper(district.diaries, SEED).text.encode()
    path = f"/v1/outages/{outage}"
    daybook.ask(
        "rebooking", "POST", f"{path}/reconciliation", params={"rest": "displaced"}, content=sheets, headers=CSV
    )
    daybook.at_rest(within=within)
    made = daybook.ask("rebooking", "POST", f"{path}/plan")
    return Recovery(outage, made["hash"], made["placed"])


def approve(daybook: Daybook, recovery: Recovery) -> None:
    """The plan is approved, and its moves begin."""
    body = {"hash": recovery.plan, "approved_by": "a person"}
    daybook.ask("rebooking", "POST", f"/v1/outages/{recovery.outage}/approval", json=body)


def texts(daybook: Daybook, recovery: Recovery) -> dict[str, int]:
    """How the messages stand."""
    counts: dict[str, int] = daybook.ask("notifications", "GET", f"/v1/outages/{recovery.outage}/messages")
    return counts


def finished(daybook: Daybook, recovery: Recovery, *, within: float = 2 * DEADLINE) -> None:
    """Wait until every move is answered and every message has come to its end."""

    def over() -> bool:
        moved = daybook.ask("rebooking", "GET", f"/v1/outages/{recovery.outage}/progress")
        told = texts(daybook, recovery)
        return moved["moved"] + moved["refused"] == recovery.placed and told["delivered"] == told["planned"]

    daybook.at_rest(within=within)
    until("every move and every message at its end", over, within=within)
    daybook.at_rest(within=within)


def log_of(settings: OperatorSettings) -> list[Recorded]:
    """Every event of all services, as the stream has them."""

    async def read() -> list[Recorded]:
        async with broker_of(settings) as client:
            last = (await client.jetstream().stream_info(STREAM)).state.last_seq
            async with reading(client, 1, until=last) as batches:
                return [decode(stored.body) async for batch in batches for stored in batch]

    return asyncio.run(read())


def require_all_went_to_plan(daybook: Daybook, recovery: Recovery) -> None:
    """Every placement became one move, confirmed once and told once; nothing else moved, and nobody is booked twice."""
    log = log_of(daybook.settings)
    events = [recorded.event for recorded in log]
    ours = [event for event in events if getattr(event, "outage", "") == recovery.outage]
    planned = {
        (each.appointment, each.to_slot)
        for event in ours
        if isinstance(event, PlanProposed) and event.plan == recovery.plan
        for each in event.placements
    }
    moved = [event for event in ours if isinstance(event, AppointmentMoved)]
    assert len(planned) == recovery.placed > 0
    assert _once((event.appointment, event.to_slot) for event in ours if isinstance(event, MoveRequested)) == planned
    assert _once((event.appointment, event.to_slots[0]) for event in moved) == planned
    assert _once(event.move for event in ours if isinstance(event, MoveConfirmed)) == {event.move for event in moved}
    assert not [event for event in ours if isinstance(event, MoveRejected | MoveRefused)]
    _require_each_told_once(daybook, events, recovery, {event.move for event in moved if event.textable})
    require_nobody_booked_twice(events)


def _require_each_told_once(daybook: Daybook, events: Sequence[object], recovery: Recovery, to_tell: set[str]) -> None:
    ours = [event for event in events if isinstance(event, MessagePlanned) and event.outage == recovery.outage]
    planned = [event for event in ours if event.kind == "moved"]
    messages = {event.message for event in planned}
    accepted = [event for event in events if isinstance(event, MessageAccepted) and event.message in messages]
    assert _once(event.move for event in planned) == to_tell
    assert _once(event.message for event in accepted) == messages
    assert _once(reference.rpartition(".")[0] for reference in _taken_by_the_gateway(daybook)) >= messages


def _taken_by_the_gateway(daybook: Daybook) -> list[str]:
    """The reference of every message that the sandbox ever took, from its own journal."""
    journal = daybook.settings.home.root / "sandbox" / "journal.jsonl"
    entries = [msgspec.json.decode(line) for line in journal.read_bytes().splitlines()]
    return [entry["reference"] for entry in entries if entry["type"] == "accepted"]


def require_nobody_booked_twice(events: Sequence[object]) -> None:
    """At every moment of the log, one appointment at most has a slot."""
    held: dict[str, Sequence[str]] = {}
    takers: dict[str, str] = {}
    for event in events:
        match event:
            case AppointmentBooked(appointment=appointment, slots=slots):
                assert not [slot for slot in slots if slot in takers]
                held[appointment] = slots
                takers |= dict.fromkeys(slots, appointment)
            case AppointmentCancelled(appointment=appointment) | AppointmentMoved(appointment=appointment):
                for slot in held.pop(appointment, ()):
                    del takers[slot]
            case _:
                pass


def _once(found: Iterable[object]) -> set[object]:
    """What was found, each of it no more than once."""
    counted = Counter(found)
    assert not [each for each, times in counted.items() if times > 1]
    return set(counted)
