"""Rebooking, as far as booking can tell: its events in the stream, without its service."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from shared.broker import connect
from shared.events.base import Event
from shared.events.envelope import Recorded, with_body
from shared.ids import derived_id
from shared.stream import Message, publish
from tests.booking.surgery import NOON
from tests.harness import County


@dataclass(slots=True)
class Rebooking:
    """Writes rebooking's events to the stream, as rebooking would."""

    county: County
    position: int = 0
    versions: dict[str, int] = field(default_factory=dict)

    async def says(self, *events: Event) -> None:
        """The events, and the wait until booking has done what they ask for."""
        await self._publish([self._message(event) for event in events])
        await self.county.caught_up()

    async def _publish(self, messages: Sequence[Message]) -> None:
        client = await connect(self.county.servers.nats.url("rebooking"), "rebooking")
        try:
            await publish(client, messages)
        finally:
            await client.close()

    def _message(self, event: Event) -> Message:
        self.position += 1
        version = self.versions[event.stream] = self.versions.get(event.stream, 0) + 1
        recorded = with_body(
            Recorded(
                position=self.position,
                version=version,
                id=derived_id("rebooking", str(self.position)),
                service="rebooking",
                stream=event.stream,
                practice=event.at_practice,
                recorded_at=NOON,
                occurred_at=NOON,
                event=event,
            )
        )
        return Message(recorded.subject, recorded.id, recorded.body)
