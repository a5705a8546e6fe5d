"""A service of a few lines: it answers as it is told, and remembers what it was asked."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import msgspec


@dataclass(frozen=True, slots=True)
class Asked:
    """One request."""

    method: str
    path: str
    query: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return msgspec.json.decode(self.body) if self.body else None


Answer = Callable[[Asked], Any]
"""Gives what is sent as JSON; text and bytes are sent as they are."""


@dataclass(slots=True)
class Service:
    """Where it is, what it answers by method and path, and what it was asked."""

    url: str
    answers: Mapping[str, Any]
    asked: list[Asked] = field(default_factory=list)


@contextmanager
def answering(answers: Mapping[str, Any]) -> Iterator[Service]:
    """It answers meanwhile: facts, or what a function gives, by method and path; to what it does not know, 404."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(service := Service("", answers)))
    service.url = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield service
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _handler(service: Service) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            address = urlsplit(self.path)
            body = self.rfile.read(int(self.headers["Content-Length"] or 0))
            asked = Asked(self.command, address.path, dict(parse_qsl(address.query)), body)
            service.asked.append(asked)
            known = service.answers.get(f"{asked.method} {asked.path}")
            answer = known(asked) if callable(known) else known
            self._send(404 if answer is None else 200, answer)

        do_POST = do_PUT = do_GET

        def _send(self, status: int, answer: Any) -> None:
            plain = isinstance(answer, bytes)
            content = answer if plain else msgspec.json.encode(answer or {"detail": "There is no such thing"})
            self.send_response(status)
            self.send_header("Content-Type", "text/plain" if plain else "application/json")
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *_: object) -> None:
            """Not to the screen."""

    return Handler
