"""The broker's disk: a small one of its own where we may mount one; otherwise a limit on how long its files may be."""

import os
import resource
import subprocess
from dataclasses import dataclass
from pathlib import Path

SIZE = 256 * 1024 * 1024
BALLAST = "ballast"
_LEFT = 16 * 1024
"""Bytes that are left free, and bytes that a file may still grow by: the next few events have room, and no more."""


@dataclass(frozen=True, slots=True)
class Disk:
    """Where the broker keeps its streams. `mounted`: it is a file system of its own (tmpfs), which can be full.

    Where we may not mount one, the broker is forbidden to make any file longer than it is (RLIMIT_FSIZE): its writes
    fail all the same, though with EFBIG and not with ENOSPC.
    """

    directory: Path
    mounted: bool

    @property
    def sort(self) -> str:
        return "tmpfs" if self.mounted else "RLIMIT_FSIZE"

    def fill(self, broker: int) -> None:
        """From now on there is no room, for the broker with this process id."""
        if self.mounted:
            room = os.statvfs(self.directory)
            with (self.directory / BALLAST).open("wb") as ballast:
                os.posix_fallocate(ballast.fileno(), 0, max(room.f_bavail * room.f_frsize - _LEFT, 1))
        else:
            self._allow(broker, self._longest() + _LEFT)

    def free(self, broker: int) -> None:
        """There is room again."""
        if self.mounted:
            (self.directory / BALLAST).unlink(missing_ok=True)
        else:
            self._allow(broker, resource.RLIM_INFINITY)

    def remove(self) -> None:
        if self.mounted:
            subprocess.run(["umount", "--lazy", str(self.directory)], check=True, capture_output=True)

    def _longest(self) -> int:
        return max((path.stat().st_size for path in self.directory.rglob("*") if path.is_file()), default=0)

    def _allow(self, broker: int, length: int) -> None:
        _, hard = resource.prlimit(broker, resource.RLIMIT_FSIZE)
        resource.prlimit(broker, resource.RLIMIT_FSIZE, (length, hard))


def disk_at(directory: Path) -> Disk:
    """A disk there, mounted if that is permitted."""
    directory.mkdir(parents=True, exist_ok=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(directory)]
    mounted = os.geteuid() == 0 and subprocess.run(mount, capture_output=True, check=False).returncode == 0
    return Disk(directory, mounted)
