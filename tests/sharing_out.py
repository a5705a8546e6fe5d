"""Which worker of `make test` runs which files: one Daybook serves all journeys, and the longest are begun first."""

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling
from xdist.workermanage import WorkerController

JOURNEYS = "tests/journeys with one Daybook"
LONGEST = (
    JOURNEYS,
    "tests/journeys/test_chaos.py",
    "tests/operator/test_demo.py",
    "tests/house/test_benchmarks.py",
    "tests/booking/test_openapi_fuzz.py",
    "tests/booking/test_machine.py",
    "tests/journeys/test_rush.py",
    "tests/notifications/test_crashes.py",
)
"""A long file that is begun last keeps one worker busy when there is nothing left for the others."""


class SharingOut(LoadFileScheduling):  # type: ignore[misc]  # xdist has no types
    """A file at a time, as with `--dist loadfile`; but those that share the fixture `daybook` are as one file."""

    def __init__(self, config: pytest.Config, log: Producer) -> None:
        super().__init__(config, log)
        self._shared: dict[str, bool] = {}

    def _split_scope(self, nodeid: str) -> str:
        file: str = super()._split_scope(nodeid)
        if file not in self._shared:
            self._shared[file] = self._asks_for_daybook(file)
        return JOURNEYS if self._shared[file] else file

    def _asks_for_daybook(self, file: str) -> bool:
        return file.startswith("tests/journeys/") and "daybook: Daybook" in (self.config.rootpath / file).read_text()

    def _assign_work_unit(self, node: WorkerController) -> None:
        for scope in reversed(LONGEST):
            if scope in self.workqueue:
                self.workqueue.move_to_end(scope, last=False)
        super()._assign_work_unit(node)
