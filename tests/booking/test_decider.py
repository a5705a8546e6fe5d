"""The rules of a practice: registered, opened to others, frozen by an outage, and reopened after it."""

from services.booking.commands import FreezePractice, OpenPractice, OpenSession, RegisterPractice, ReopenPractice
from shared.events.booking import (
    ALL_INFLOW,
    Inflow,
    Opening,
    PracticeFrozen,
    PracticeOpened,
    PracticeRegistered,
    PracticeReopened,
    SessionOpened,
)
from tests.booking.deciding import FROZEN, OPENED, REGISTERED, given, published

REOPENED = PracticeReopened(practice="A1", outage="friday")
FREEZE, REOPEN = FreezePractice("A1", "friday", ALL_INFLOW), ReopenPractice("A1", "friday")
OTHERS: tuple[Inflow, ...] = ("nhs-111", "public")
REGISTER = RegisterPractice("A1", "Harbour Surgery")


class TestAPractice:
    def test_is_registered(self) -> None:
        given().when(REGISTER).then(REGISTERED)

    def test_registered_twice_is_registered_once(self) -> None:
        given(REGISTERED).when(REGISTER).nothing_happens()

    def test_registered_with_other_details_is_corrected(self) -> None:
        corrected = PracticeRegistered(practice="A1", name="Harbour Medical Centre")
        given(REGISTERED).when(RegisterPractice("A1", "Harbour Medical Centre")).then(corrected)

    def test_stays_frozen_when_its_details_are_corrected(self) -> None:
        given(REGISTERED, FROZEN).when(RegisterPractice("A1", "Harbour"), FREEZE).nothing_happens()

    def test_freezes_when_its_systems_go_down(self) -> None:
        given(REGISTERED).when(FREEZE).then(FROZEN)

    def test_frozen_twice_by_one_outage_is_frozen_once(self) -> None:
        given(REGISTERED, FROZEN).when(FREEZE).nothing_happens()

    def test_is_frozen_to_those_who_are_named(self) -> None:
        frozen = PracticeFrozen(practice="A1", outage="friday", keeps_out=OTHERS)
        given(REGISTERED).when(FreezePractice("A1", "friday", OTHERS)).then(frozen).when(
            FreezePractice("A1", "friday", ("public", "nhs-111", "public"))
        ).nothing_happens()

    def test_frozen_to_others_than_before_is_frozen_to_them_instead(self) -> None:
        nobody = PracticeFrozen(practice="A1", outage="friday", keeps_out=())
        given(REGISTERED, FROZEN).when(FreezePractice("A1", "friday", ())).then(nobody).when(FREEZE).then(FROZEN)

    def test_that_keeps_no_diary_here_cannot_freeze(self) -> None:
        given().when(FREEZE).nothing_happens()

    def test_reopens_when_the_outage_is_over(self) -> None:
        given(REGISTERED, FROZEN).when(REOPEN).then(REOPENED)

    def test_reopened_twice_is_reopened_once(self) -> None:
        given(REGISTERED, FROZEN, REOPENED).when(REOPEN).nothing_happens()

    def test_is_not_frozen_again_by_an_outage_that_is_over(self) -> None:
        past = (REGISTERED, FROZEN, REOPENED)
        given(*past).when(FREEZE).nothing_happens()
        given(*past).when(FreezePractice("A1", "friday", OTHERS)).nothing_happens()


class TestOpeningAPractice:
    OPEN = OpenPractice("A1", Opening())

    def test_says_to_whom_its_slots_are_open(self) -> None:
        given(REGISTERED).when(self.OPEN).then(OPENED)

    def test_twice_is_opening_it_once(self) -> None:
        given(REGISTERED).when(self.OPEN, self.OPEN).nothing_happens()

    def test_otherwise_replaces_what_was_said_before(self) -> None:
        tomorrow = Opening(days_ahead=1)
        given(REGISTERED, OPENED).when(OpenPractice("A1", tomorrow)).then(
            PracticeOpened(practice="A1", opening=tomorrow)
        )

    def test_goes_on_while_it_is_frozen_and_survives_a_correction_of_its_details(self) -> None:
        given(REGISTERED, FROZEN).when(self.OPEN).then(OPENED)
        given(REGISTERED, OPENED).when(RegisterPractice("A1", "Harbour"), self.OPEN).nothing_happens()

    def test_refuses_a_practice_that_is_not_registered(self) -> None:
        given().when(self.OPEN).is_refused("unknown-practice", "practice")


class TestOpeningASession:
    CLOSED = Opening(closed=True)
    CLOSE = OpenSession("A1", "monday", CLOSED)

    def test_says_to_whom_this_one_is_open(self) -> None:
        closed = SessionOpened(session="monday", practice="A1", opening=self.CLOSED)
        given(published()).when(self.CLOSE).then(closed)

    def test_twice_is_opening_it_once(self) -> None:
        given(published()).when(self.CLOSE, self.CLOSE).nothing_happens()
        given(published(opening=self.CLOSED)).when(self.CLOSE).nothing_happens()

    def test_can_be_left_to_the_practice_again(self) -> None:
        leave = OpenSession("A1", "monday", None)
        given(published()).when(leave).nothing_happens()
        given(published(opening=self.CLOSED)).when(leave).then(SessionOpened(session="monday", practice="A1"))

    def test_refuses_a_session_that_is_not_there_or_at_another_practice(self) -> None:
        given().when(self.CLOSE).is_refused("no-such-session", "session")
        given(published(practice="B2")).when(self.CLOSE).is_refused("no-such-session", "session")
