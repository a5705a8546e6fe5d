"""Serves a service's app. Nothing else of a service's command line loads the web server, so the rest starts sooner."""

import uvicorn
from fastapi import FastAPI

from shared.collecting import collect_seldom
from shared.settings import ServiceSettings


def serve(settings: ServiceSettings, app: FastAPI) -> int:
    """Answer requests until told to stop; returns the exit code, 3 if it could not start."""
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=5,
    )
    server = uvicorn.Server(config)
    app.state.stopping = lambda: server.should_exit
    collect_seldom()
    server.run()
    return 0 if server.started else 3
