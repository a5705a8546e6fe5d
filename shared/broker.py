"""The connection to NATS: one for each service, there once the broker is, and never given up."""

import asyncio
from collections.abc import Collection, Mapping

from shared.reading import last_keys
from shared.refusals import Refusal, Unavailable
from shared.wire import Client

OLDEST_SERVER = (2, 14, 4)
"""Atomic batches came with 2.12; the fault that refused batches with several guards was mended in 2.14.4."""


async def connect(url: str, name: str) -> Client:
    """A connection that never gives up reconnecting, and never buffers: what cannot be sent now fails now.

    Buffered writes would land after their sender has given up on them. Waits until the broker is there.
    """

    client = Client()
    await client.connect(
        [server.strip() for server in url.split(",")],
        name=f"daybook {name}",
        inbox_prefix=f"_INBOX_{name}",
        max_reconnect_attempts=-1,
        reconnect_time_wait=0.2,  # type: ignore[arg-type]
        connect_timeout=2,
        ping_interval=2,
        max_outstanding_pings=2,
        pending_size=-1,
        error_cb=_ignore,
    )
    return client


async def _ignore(_: Exception) -> None:
    """It tries again by itself; whoever cannot wait any longer says so."""


class Broker:
    """A service's one connection to the broker, there once the broker is."""

    def __init__(self, url: str, service: str) -> None:
        self._url = url
        self._service = service
        self._client: Client | None = None
        self._connected = asyncio.Event()

    @property
    def is_up(self) -> bool:
        """Whether the broker can be reached at this moment."""
        return self._client is not None and self._client.is_connected

    async def run(self) -> None:
        """Connect, however long it takes, and hold the connection until cancelled."""
        self._client = await connect(self._url, self._service)
        require_new_enough(self._client)
        self._connected.set()
        try:
            await asyncio.Event().wait()
        finally:
            await self._client.close()

    async def client(self) -> Client:
        """The connection, as soon as there is one."""
        await self._connected.wait()
        if self._client is None or not self._client.is_connected:
            raise Unavailable("the broker cannot be reached", code="broker-down")
        return self._client

    async def wrapped_keys(self, subjects: Collection[str]) -> Mapping[str, bytes]:
        """The wrapped data keys of these subjects that the keys stream holds. Raises `Unavailable`."""
        return await last_keys(await self.client(), subjects)


def require_new_enough(client: Client) -> None:
    """Raises `Refusal` if the server is too old to keep Daybook's promises."""
    version = client.connected_server_version
    if (version.major, version.minor, version.patch) < OLDEST_SERVER:
        wanted = ".".join(map(str, OLDEST_SERVER))
        raise Refusal(f"nats-server {version} is too old: Daybook needs {wanted} or newer", code="old-broker")
