"""Adds to the corpus what it lacks, at the ends of its files."""

import sys
from typing import Any

import msgspec

from shared.events.envelope import SERVICES, envelope_of
from tests.house.corpus import DIGESTS, latest, missing, path_of, recorded_digests, running_digests


def main() -> None:
    """Append, unless a line has been changed since it was added."""
    for service in sorted(SERVICES):
        path_of(service).touch()
    before = recorded_digests() if DIGESTS.exists() else {}
    for service, digests in before.items():
        if running_digests(path_of(service).read_bytes()) != digests:
            sys.exit(f"{path_of(service).name} is not as it was recorded: put its lines back before adding to them")
    added = list(missing(latest()))
    for line in added:
        with path_of(envelope_of(line.body).service).open("ab") as file:
            file.write(msgspec.json.encode(line) + b"\n")
    after: dict[str, Any] = {service: running_digests(path_of(service).read_bytes()) for service in sorted(SERVICES)}
    DIGESTS.write_bytes(msgspec.json.format(msgspec.json.encode(after), indent=1) + b"\n")
    print(f"{len(added)} lines added")  # noqa: T201


if __name__ == "__main__":
    main()
