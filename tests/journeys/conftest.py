"""One running system for all journeys, and a district of its own for each that asks for one."""

from collections.abc import Iterator

import pytest

from tests.journeys.recovery import District, districts
from tests.journeys.running import Daybook, daybook_up

_DISTRICTS = 12


@pytest.fixture(scope="session")
def daybook(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daybook]:
    """`daybook up`, as if it were Monday morning after the lost Friday."""
    with daybook_up(tmp_path_factory.mktemp("journeys") / "home") as running:
        yield running


@pytest.fixture(scope="session")
def untouched() -> Iterator[District]:
    """Districts that no journey has been to."""
    return districts(_DISTRICTS)


@pytest.fixture
def district(untouched: Iterator[District]) -> District:
    return next(untouched)
