"""A PostgreSQL server for each service, in a directory of its own that can be destroyed."""

import asyncio
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from services.operator.child import dying_with_parent
from services.operator.embedded import Postgres, free_ports, wait_for_postgres
from services.operator.settings import SERVICES
from tests.journeys.running import until
from tests.waiting import DEADLINE


class Apart:
    """The servers, each in a process of its own."""

    def __init__(self, root: Path) -> None:
        ports = zip(SERVICES, free_ports(len(SERVICES)), strict=True)
        self._log = root / "postgres.log"
        self._servers = {
            service: Postgres(root / service, port, "for-a-drill", dies_with_parent=True) for service, port in ports
        }
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    def settings(self) -> Mapping[str, str]:
        """What Daybook is told of them."""
        return {f"{service.upper()}_DATABASE_URL": server.url(service) for service, server in self._servers.items()}

    def start(self, service: str) -> None:
        """An empty one, if there is none in its directory."""
        server = self._servers[service]
        server.prepare()
        tied = dying_with_parent(signal.SIGINT)
        with self._log.open("ab") as log:
            self._processes[service] = subprocess.Popen(
                server.command(), stdout=log, stderr=log, start_new_session=True, preexec_fn=tied
            )
        asyncio.run(wait_for_postgres(server.url(), within=DEADLINE))

    def destroy(self, service: str) -> None:
        """The server is killed and its directory removed; a new one, with nothing in it, takes its place."""
        process = self._processes[service]
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        # What the server had started may still be writing for a moment.
        until(f"the data of {service} is gone", lambda: _removed(self._servers[service].directory))
        self.start(service)

    def stop(self) -> None:
        for process in self._processes.values():
            process.send_signal(signal.SIGINT)
        for process in self._processes.values():
            process.wait(60)


@contextmanager
def servers_apart(root: Path) -> Iterator[Apart]:
    """All of them, until the block ends."""
    root.mkdir()
    root.chmod(0o755)
    apart = Apart(root)
    try:
        for service in SERVICES:
            apart.start(service)
        yield apart
    finally:
        apart.stop()


def _removed(directory: Path) -> bool:
    shutil.rmtree(directory, ignore_errors=True)
    return not directory.exists()
