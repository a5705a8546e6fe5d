"""What a token's scopes allow, and which practice is whose."""

import pytest

from shared.access import OPERATE, Action, Caller, Forbidden, is_scope, scope_words, scopes_of
from shared.refusals import NotFound


def caller(scope: str = "", organisation: str = "A1") -> Caller:
    return Caller("ACME", organisation, "gp-practice", scopes_of(scope))


@pytest.mark.parametrize(
    ("scope", "allowed"),
    [
        ("system/Slot.rs", "rs"),
        ("system/Slot.cruds", "cruds"),
        ("system/*.r", "r"),
        ("system/Slot.c system/Slot.d", "cd"),
        ("system/Slot.read", "rs"),
        ("system/Slot.write", "cud"),
        ("system/Slot.*", "cruds"),
        ("system/*.*", "cruds"),
        ("system/Appointment.cruds", ""),
        ("system/Slot.sr", ""),
        ("system/Slot.", ""),
        ("user/Slot.rs", ""),
        ("patient/Slot.rs", ""),
        ("system/slot.rs", ""),
        ("system/Slot.rs?status=free", ""),
        ("system/Slots.rs", ""),
        ("SYSTEM/Slot.rs", ""),
        ("", ""),
        (OPERATE, ""),
    ],
)
def test_a_scope_allows_what_smart_says_and_nothing_else(scope: str, allowed: str) -> None:
    actions: list[Action] = ["c", "r", "u", "d", "s"]
    assert "".join(action for action in actions if caller(scope).may("Slot", action)) == allowed


def test_what_is_not_allowed_is_refused_with_the_scope_that_it_needs() -> None:
    with pytest.raises(Forbidden, match=r"system/Appointment\.c"):
        caller("system/Appointment.r").require("Appointment", "c")


def test_an_operator_needs_no_scope_but_its_own() -> None:
    caller(OPERATE).require("Appointment", "c")


def test_only_the_operators_own_scope_makes_one() -> None:
    caller(f"system/Slot.r {OPERATE}").require_operator()
    for scope in ("", "system/*.cruds", "daybook/operates", "Daybook/Operate"):
        with pytest.raises(Forbidden):
            caller(scope).require_operator()


def test_a_practice_is_its_own_systems_and_the_operators() -> None:
    assert caller(organisation="A1").belongs_to("A1")
    assert caller(OPERATE, organisation="").belongs_to("A1")
    assert not caller(organisation="B2").belongs_to("A1")
    assert not caller(organisation="").belongs_to("")
    with pytest.raises(NotFound):
        caller(organisation="B2").require_practice("A1")


def test_scopes_are_written_as_they_are_read() -> None:
    words = scope_words(["Slot", "Schedule"], "rs")
    assert words == "system/Slot.rs system/Schedule.rs"
    assert all(is_scope(word) for word in words.split())
    assert not is_scope("system/Slot.")
