"""The rules of planning come from a file that cannot be misread."""

from pathlib import Path

import pytest

from services.rebooking.rules import Rules, read_rules
from services.rebooking.settings import Settings
from shared.refusals import Refusal


def complaint(text: str) -> str:
    with pytest.raises(Refusal) as refused:
        read_rules(text)
    assert refused.value.code == "bad-rules"
    return refused.value.message


def test_what_a_file_leaves_out_is_as_by_default() -> None:
    rules = read_rules("minimum_notice_hours = 48\n[continuity]\nclinician = 0\n")
    assert rules == Rules(minimum_notice_hours=48, continuity={"clinician": 0})  # type: ignore[arg-type]


def test_each_priority_has_its_own_class_by_default_and_none_given_is_last() -> None:
    assert sorted(range(10), key=Rules().rank) == [1, 2, 3, 4, 5, 6, 7, 8, 9, 0]


def test_a_typo_is_named_with_its_line() -> None:
    message = complaint("horizon_days = 14\nminimum_notice_huors = 48\n")
    assert "minimum_notice_huors (line 2)" in message


def test_a_typo_in_a_table_is_named_with_its_line() -> None:
    assert "continuity.doctor (line 3)" in complaint("\n[continuity]\ndoctor = 3\n")


def test_a_value_that_makes_no_sense_is_named_with_its_line() -> None:
    assert "leave_free_percent (line 1)" in complaint("leave_free_percent = 110\n")


def test_a_file_that_is_not_toml_says_where() -> None:
    assert "line 2" in complaint("horizon_days = 14\nminimum notice\n")


def test_every_priority_belongs_to_one_class() -> None:
    assert "each priority" in complaint('[[classes]]\nname = "all"\npriorities = [1, 2, 3]\n')


def test_slots_kept_for_nhs_111_cannot_be_given_away() -> None:
    assert "nhs-111" in complaint('never_used = ["same-day"]\n')


def settings(rules_file: Path | None) -> Settings:
    return Settings(database_url="", nats_url="", master_key="", token_keys="none", rules_file=rules_file)  # type: ignore[arg-type]


def test_settings_name_the_file(tmp_path: Path) -> None:
    file = tmp_path / "rules.toml"
    file.write_text("horizon_days = 7\n")
    assert settings(file).rules().horizon_days == 7
    assert settings(None).rules() == Rules()


def test_a_file_that_is_not_there_is_a_refusal(tmp_path: Path) -> None:
    with pytest.raises(Refusal, match="cannot be read"):
        settings(tmp_path / "none.toml").rules()
