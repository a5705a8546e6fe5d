"""`python -m services.notifications.sandbox [--port 8004] [--callback-url http://127.0.0.1:8003]`."""

import argparse
import sys

import uvicorn

from services.notifications.sandbox.app import create_sandbox
from services.notifications.sandbox.settings import SandboxSettings
from shared.refusals import Refusal


def main() -> int:
    """Serve until told to stop. Exits 2 if the settings make no sense."""
    parser = argparse.ArgumentParser(prog="python -m services.notifications.sandbox", description=__doc__)
    parser.add_argument("--port", type=int, help="where it listens")
    parser.add_argument("--callback-url", help="where it brings receipts and replies")
    parser.add_argument("--directory", help="where it keeps what it accepted")
    given = parser.parse_args()
    try:
        settings = SandboxSettings.from_environment(
            port=given.port, callback_url=given.callback_url, directory=given.directory
        )
    except Refusal as refusal:
        print(refusal, file=sys.stderr)  # noqa: T201
        return 2
    uvicorn.run(
        create_sandbox(settings),
        host=settings.host,
        port=settings.listens_at,
        log_config=None,
        access_log=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=2,
    )
    return 0


sys.exit(main())
