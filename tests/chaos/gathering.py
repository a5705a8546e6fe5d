"""Gathers the evidence of a run: the log from the stream, the sandbox's journal, and what was sealed in amendments."""

from collections.abc import Collection, Mapping, Sequence

import msgspec

from services.notifications.sandbox.journal import Entry
from services.operator.broker import broker_of
from services.operator.settings import OperatorSettings
from shared.database import open_engine
from shared.events.booking import AppointmentAmended, AppointmentBooked
from shared.events.envelope import Recorded, decode
from shared.reading import reading
from shared.seal import Details, Keys
from shared.stream import STREAM
from tests.chaos.evidence import Evidence
from tests.chaos.history import History


async def gather(settings: OperatorSettings, history: History, before: Mapping[str, int]) -> Evidence:
    """All that the checker looks at."""
    log = await _log(settings)
    return Evidence(
        log=log,
        history=history,
        journal=_journal(settings),
        before=before,
        descriptions=await _descriptions(settings, log),
    )


async def _log(settings: OperatorSettings) -> Sequence[Recorded]:
    async with broker_of(settings) as client:
        last = (await client.jetstream().stream_info(STREAM)).state.last_seq
        async with reading(client, 1, until=last) as batches:
            return [decode(stored.body) async for batch in batches for stored in batch]


def _journal(settings: OperatorSettings) -> Sequence[Entry]:
    """A line that the sandbox died in was never answered for."""
    decoder = msgspec.json.Decoder(Entry)
    lines = (settings.home.root / "sandbox" / "journal.jsonl").read_bytes().splitlines(keepends=True)
    return [decoder.decode(line) for line in lines if line.endswith(b"\n")]


class _Nowhere:
    """All keys of booking's patients are booking's own."""

    async def wrapped_keys(self, subjects: Collection[str]) -> Mapping[str, bytes]:
        return {}


async def _descriptions(settings: OperatorSettings, log: Sequence[Recorded]) -> Mapping[str, str]:
    """What each amendment says, opened with the patient's key."""
    patients = {
        each.event.appointment: each.event.patient.id for each in log if isinstance(each.event, AppointmentBooked)
    }
    amended = {each.id: each.event for each in log if isinstance(each.event, AppointmentAmended)}
    engine = open_engine(settings.database_url("booking"))
    try:
        keys = Keys(settings.home.secrets().master_key, engine, _Nowhere())
        found = await keys.find({patients[event.appointment] for event in amended.values()})
    finally:
        await engine.dispose()
    return {
        id: found[patients[event.appointment]].open(event.details, Details).description for id, event in amended.items()
    }
