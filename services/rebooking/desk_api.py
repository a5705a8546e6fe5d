"""The desk: one page for a browser, without any data in it, and what that page asks first."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from fastapi import APIRouter
from fastapi.responses import Response

from services.rebooking import views
from services.rebooking.guarding import MAY_READ
from shared.http import CallerDep, RunningDep

_FOLDER = Path(__file__).parent / "desk"
_KINDS: Mapping[str, str] = {".html": "text/html", ".css": "text/css", ".js": "text/javascript"}
_HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-cache",
}
"""Nothing from anywhere else, no script within the page, and nobody's frame around it."""

_FILES = {"/desk": "desk.html"} | {
    f"/desk/{file.name}": file.name for file in sorted(_FOLDER.iterdir()) if file.suffix in (".css", ".js")
}
OPEN_PATHS = frozenset(_FILES)
"""The page and its parts, which need no token; what they ask for does."""

router = APIRouter(tags=["desk"])


@dataclass(frozen=True, slots=True)
class Desk:
    """Who asks, and what concerns them: to an operator every practice and outage, to a practice its own."""

    operator: bool
    practices: Mapping[str, str]
    outages: list[views.Outage]


@router.get("/v1/desk", dependencies=[MAY_READ])
async def open_desk(service: RunningDep, caller: CallerDep) -> Desk:
    """The practices, by code and name, and the outages that concern whoever asks."""
    own = caller.organisation
    async with service.engine.connect() as connection:
        names = await views.practice_names(connection)
        if caller.operates:
            return Desk(True, names, await views.all_outages(connection))
        outages = await views.all_outages(connection, own) if own in names else []
    known = {practice: name for practice, name in names.items() if practice == own}
    return Desk(False, known, [replace(outage, practices=[own]) for outage in outages])


def _serve(path: str, name: str) -> None:
    file = _FOLDER / name
    content, kind = file.read_bytes(), _KINDS[file.suffix]

    async def read() -> Response:
        """A page for the browser: the paper sheet to fill in, the call list, and, for operators, plan and backlog."""
        return Response(content, media_type=kind, headers=dict(_HEADERS))

    router.add_api_route(path, read, methods=["GET"], include_in_schema=path == "/desk", response_class=Response)


for _path, _name in _FILES.items():
    _serve(_path, _name)
