"""`daybook snapshots`: what rebuilds have left of each service's tables, and whether this version can begin from it."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import msgspec
from msgspec import Struct

from services.operator.screen import AsJson, out, plain, right, show_json
from services.operator.settings import SERVICES, OperatorSettings, operator_settings
from shared.clock import LONDON
from shared.fingerprint import fingerprint_of
from shared.shelf import numbered, place_of
from shared.snapshots import Damaged, Snapshot, damage_of, file_of, read_manifest

_SERVICES = Path(__file__).parents[1]


class SnapshotView(Struct, frozen=True, kw_only=True):
    """One snapshot as it stands on the disk. Of one whose manifest cannot be read no more is known than why not.

    `position` is that of the service's own newest event in it, `sequence` how far the stream was read that was made at
    `stream_created`: for another stream it is of no use.
    """

    service: str
    folder: str
    size: int
    usable: bool
    why_not: str = ""
    taken_at: datetime | None = None
    position: int | None = None
    sequence: int | None = None
    stream_created: str = ""
    rows: int | None = None


def snapshots(json: AsJson = False) -> None:
    """The snapshots that rebuilds have left, the newest first; every file is read through."""
    settings = operator_settings()
    found = [view for service in SERVICES for view in snapshots_of(settings, service)]
    show_json(found) if json else _print(found)


def snapshots_of(settings: OperatorSettings, service: str) -> Sequence[SnapshotView]:
    """Those of one service, the newest first."""
    shelf = _shelf(settings, service)
    version = fingerprint_of(_SERVICES / service)
    return [_view(service, place_of(shelf, number), version) for number in reversed(numbered(shelf))]


def _shelf(settings: OperatorSettings, service: str) -> Path:
    """Where this service, as we would run it, has its own."""
    if own := settings.given.get(f"{service.upper()}_SNAPSHOTS"):
        return Path(own)
    return Path(settings.given.get("DAYBOOK_SNAPSHOTS") or settings.home.snapshots) / service


def _view(service: str, folder: Path, version: str) -> SnapshotView:
    size = sum(path.stat().st_size for path in folder.iterdir())
    try:
        snapshot = msgspec.json.decode(read_manifest(folder), type=Snapshot)
    except Damaged as damaged:
        return SnapshotView(service=service, folder=str(folder), size=size, usable=False, why_not=damaged.what)
    except msgspec.DecodeError:
        why_not = "made by another version"
        return SnapshotView(service=service, folder=str(folder), size=size, usable=False, why_not=why_not)
    why_not = _why_not(snapshot, folder, version)
    return SnapshotView(
        service=service,
        folder=str(folder),
        size=size,
        usable=not why_not,
        why_not=why_not,
        taken_at=snapshot.taken_at,
        position=snapshot.place.reached(service),
        sequence=snapshot.place.sequence,
        stream_created=snapshot.place.stream_created,
        rows=sum(table.rows for table in snapshot.tables.values()),
    )


def _why_not(snapshot: Snapshot, folder: Path, version: str) -> str:
    if snapshot.made_by != version:
        return "made by another version"
    damages = (damage_of(file_of(folder, name), table) for name, table in snapshot.tables.items())
    return next(filter(None, damages), "")


def _print(found: Sequence[SnapshotView]) -> None:
    if not found:
        out().print("There are no snapshots: `daybook rebuild SERVICE` leaves one.")
        return
    table = plain("service", "folder", "taken", "position", "sequence", "rows", "MB", "")
    for view in found:
        taken = f"{view.taken_at.astimezone(LONDON):%d %b %Y %H:%M}" if view.taken_at else "-"
        figures = ("-" if each is None else f"{each:,}" for each in (view.position, view.sequence, view.rows))
        verdict = "usable" if view.usable else f"not usable: {view.why_not}"
        name = Path(view.folder).name
        table.add_row(view.service, name, taken, *map(right, figures), right(f"{view.size / 1e6:,.1f}"), verdict)
    out().print(table)
