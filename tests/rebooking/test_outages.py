"""The rules of an outage: declared, keeping out whom it says, ended once, and recovered from as its operators said."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from services.rebooking.commands import ChangeInflow, DeclareOutage, EndOutage, SetFollowUp, TakeUpDisplaced
from shared.events.booking import ALL_INFLOW
from shared.events.rebooking import FollowUpSet, InflowChanged, OutageDeclared, OutageEnded
from tests.rebooking.deciding import FRIDAY, NOW, declared, given

SUNDAY = datetime.fromisoformat("2024-07-21T21:00+00:00")
WITHDRAWN = OutageDeclared(
    outage="outage", name="Session", practices=("A1",), started_at=NOW, ended_at=NOW, kind="withdrawal"
)


class TestDeclareOutage:
    command = DeclareOutage("outage", "Friday", ("A1", "B2"), FRIDAY, None, "Ann", ALL_INFLOW, NOW)

    def test_an_outage_is_declared_before_its_end_is_known(self) -> None:
        event = OutageDeclared(
            outage="outage", name="Friday", practices=("A1", "B2"), started_at=FRIDAY, declared_by="Ann"
        )
        given().when(self.command).then(event)

    def test_an_outage_can_be_declared_when_it_is_over(self) -> None:
        [event] = given().when(replace(self.command, ended_at=SUNDAY)).events
        assert isinstance(event, OutageDeclared)
        assert event.ended_at == SUNDAY

    @pytest.mark.parametrize("ended_at", [FRIDAY, FRIDAY - timedelta(minutes=1)])
    def test_it_cannot_end_before_it_started(self, ended_at: datetime) -> None:
        given().when(replace(self.command, ended_at=ended_at)).is_refused("ends-before-start", "ended_at")

    def test_it_cannot_start_in_the_future(self) -> None:
        later = replace(self.command, started_at=NOW + timedelta(seconds=1))
        given().when(later).is_refused("starts-in-future", "started_at")

    def test_it_needs_a_practice(self) -> None:
        given().when(replace(self.command, practices=())).is_refused("no-practices", "practices")

    def test_declaring_twice_is_declaring_once(self) -> None:
        given(declared()).when(self.command).nothing_happens()


class TestEndOutage:
    command = EndOutage("outage", SUNDAY, NOW)

    def test_an_open_outage_ends(self) -> None:
        given(declared()).when(self.command).then(OutageEnded(outage="outage", practices=("A1",), ended_at=SUNDAY))

    def test_it_cannot_end_before_it_started(self) -> None:
        given(declared()).when(replace(self.command, ended_at=FRIDAY)).is_refused("ends-before-start", "ended_at")

    def test_it_cannot_end_in_the_future(self) -> None:
        later = replace(self.command, ended_at=NOW + timedelta(seconds=1))
        given(declared()).when(later).is_refused("ends-in-future", "ended_at")

    def test_it_ends_once(self) -> None:
        given(declared(SUNDAY)).when(self.command).nothing_happens()
        other = replace(self.command, ended_at=SUNDAY - timedelta(hours=1))
        given(declared(SUNDAY)).when(other).is_refused("already-ended", "ended_at")

    def test_only_a_declared_outage_ends(self) -> None:
        given().when(self.command).is_refused("unknown-outage")


class TestWhomItKeepsOut:
    command = ChangeInflow("outage", ("nhs-111", "public"), "Ann")
    changed = InflowChanged(outage="outage", practices=("A1",), keeps_out=("nhs-111", "public"), said_by="Ann")

    def test_it_is_said_when_the_outage_is_declared(self) -> None:
        command = replace(TestDeclareOutage.command, keeps_out=("public", "practice", "public"))
        [event] = given().when(command).events
        assert isinstance(event, OutageDeclared)
        assert event.keeps_out == ("practice", "public")

    def test_it_changes_while_the_outage_lasts(self) -> None:
        given(declared()).when(self.command).then(self.changed)

    def test_nobody_need_be_kept_out(self) -> None:
        nobody = InflowChanged(outage="outage", practices=("A1",), keeps_out=(), said_by="Ann")
        given(declared()).when(replace(self.command, keeps_out=())).then(nobody)

    def test_the_same_again_in_any_order_is_nothing(self) -> None:
        given(declared()).when(replace(self.command, keeps_out=("public", "nhs-111", "practice"))).nothing_happens()
        given(declared(), self.changed).when(self.command).nothing_happens()

    def test_after_the_end_nobody_is_kept_out(self) -> None:
        given(declared(SUNDAY)).when(self.command).is_refused("already-ended", "outage")

    def test_a_withdrawal_keeps_nobody_out(self) -> None:
        given(WITHDRAWN).when(self.command).is_refused("not-an-outage", "outage")

    def test_there_must_be_an_outage(self) -> None:
        given().when(self.command).is_refused("unknown-outage")


class TestFollowUp:
    command = SetFollowUp("outage", True, "Ann")
    set = FollowUpSet(outage="outage", automatic=True, said_by="Ann")

    @pytest.mark.parametrize("outage", [declared(), declared(SUNDAY), WITHDRAWN], ids=["open", "ended", "withdrawal"])
    def test_it_is_automatic_once_somebody_says_so(self, outage: OutageDeclared) -> None:
        given(outage).when(self.command).then(self.set)

    def test_it_is_not_to_begin_with(self) -> None:
        given(declared()).when(replace(self.command, automatic=False)).nothing_happens()

    def test_it_can_be_taken_back(self) -> None:
        back = FollowUpSet(outage="outage", automatic=False, said_by="Ann")
        given(declared(), self.set).when(replace(self.command, automatic=False)).then(back)

    def test_the_same_again_is_nothing_before_the_end_or_after(self) -> None:
        ended = OutageEnded(outage="outage", practices=("A1",), ended_at=SUNDAY)
        given(declared(), self.set).when(self.command).nothing_happens()
        given(declared(), self.set, ended).when(self.command).nothing_happens()

    def test_there_must_be_an_outage(self) -> None:
        given().when(self.command).is_refused("unknown-outage")


def test_a_withdrawal_has_no_end_to_wait_for() -> None:
    given(WITHDRAWN).when(TestEndOutage.command).is_refused("not-an-outage", "outage")
    taken = TakeUpDisplaced("outage", "A1", "Session", NOW, "lost", "patient")
    given(WITHDRAWN).when(taken, taken).nothing_happens()
