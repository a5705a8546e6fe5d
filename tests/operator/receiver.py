"""A practice's own system, as a redelivery reaches it: it checks each signature, keeps what it takes, and can fail."""

import base64
import hmac
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import msgspec

SECRET = "whsec_" + base64.b64encode(b"a secret of both, of 32 bytes...").decode()
Answer = Callable[[int], int]
"""The status for the request of this number, from 1."""


@dataclass(slots=True)
class Receiver:
    """`taken` are the changes that were answered 200, `ids` the ids of all that came."""

    url: str = ""
    answer: Answer = lambda _: 200
    taken: list[dict[str, Any]] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    marked: set[str] = field(default_factory=set)

    @property
    def distinct(self) -> list[str]:
        """What a system has that looks at the ids: each once, in the order in which it first came."""
        return list(dict.fromkeys(each["id"] for each in self.taken))


@contextmanager
def receiving() -> Iterator[Receiver]:
    """It answers meanwhile."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(receiver := Receiver()))
    receiver.url = f"http://127.0.0.1:{server.server_port}/changes"
    thread = Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def is_signed(headers: Any, body: bytes) -> bool:
    """As Standard Webhooks has it checked."""
    content = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    key = base64.b64decode(SECRET.removeprefix("whsec_"))
    expected = base64.b64encode(hmac.digest(key, content, "sha256")).decode()
    return hmac.compare_digest(f"v1,{expected}", headers["webhook-signature"])


def _handler(receiver: Receiver) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"] or 0))
            receiver.ids.append(self.headers["webhook-id"])
            receiver.marked.add(self.headers["daybook-replay"])
            status = receiver.answer(len(receiver.ids)) if is_signed(self.headers, body) else 401
            if status == 200:
                receiver.taken.append(msgspec.json.decode(body))
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *_: object) -> None:
            """Not to the screen."""

    return Handler
