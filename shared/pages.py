"""Pages for a browser that hold no data: anybody may have them, and what they ask for needs a token."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from fastapi import APIRouter
from fastapi.responses import Response

from shared.settings import PORTS, ServiceSettings

SHARED = Path(__file__).parent / "desk"
"""What the desks of all services have in common."""

_KINDS: Mapping[str, str] = {".html": "text/html", ".css": "text/css", ".js": "text/javascript"}
_HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-cache",
}
"""Nothing from anywhere else, no script within the page, and nobody's frame around it."""


@dataclass(frozen=True, slots=True)
class Desk:
    """A page at `/desk`, and its parts under it. `what` is what it is for, in its service's description."""

    files: Mapping[str, Path]
    what: str

    @property
    def open_paths(self) -> frozenset[str]:
        """The page and its parts, which need no token."""
        return frozenset(self.files)

    @property
    def scripts(self) -> Sequence[Path]:
        return [file for file in self.files.values() if file.suffix == ".js"]

    def serve(self, router: APIRouter) -> None:
        """Have the router answer them."""
        for path, file in self.files.items():
            self._serve(router, path, file)

    def _serve(self, router: APIRouter, path: str, file: Path) -> None:
        content, kind = file.read_bytes(), _KINDS[file.suffix]

        async def read() -> Response:
            return Response(content, media_type=kind, headers=dict(_HEADERS))

        router.add_api_route(
            path,
            read,
            methods=["GET"],
            description=self.what,
            include_in_schema=path == "/desk",
            response_class=Response,
        )


def desk(folder: Path, what: str) -> Desk:
    """The desk whose page is `desk.html` in this folder."""
    parts = sorted([*folder.iterdir(), *SHARED.iterdir()], key=lambda file: file.name)
    files = {f"/desk/{file.name}": file for file in parts if file.suffix in (".css", ".js")}
    return Desk({"/desk": folder / "desk.html", **files}, what)


Ports = Mapping[str, int]
"""The port of each service that has a desk, so that one leads to the other where nothing stands in front of them."""


def ports(settings: ServiceSettings) -> Ports:
    """Where the desks of this machine are."""
    return {service: settings.port_base + PORTS[service] for service in ("rebooking", "notifications")}
