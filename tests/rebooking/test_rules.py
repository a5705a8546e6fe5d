"""The rules of planning come from a file that cannot be misread."""

from pathlib import Path

import pytest

from services.rebooking.rules import Continuity, Hub, PriorityClass, Rules
from services.rebooking.rules_file import read_rules
from services.rebooking.settings import Settings
from shared.refusals import Refusal

EXAMPLE = Path(__file__).parents[2] / "docs" / "rules.example.toml"
CLASSES = """
[[classes]]
name = "first"
priorities = [1, 2, 3]

[[classes]]
name = "rest"
priorities = [4, 5, 6, 7, 8, 9, 0]
"""


def complaint(text: str) -> str:
    with pytest.raises(Refusal) as refused:
        read_rules(text)
    assert refused.value.code == "bad-rules"
    return refused.value.message


def test_what_a_file_leaves_out_is_as_by_default() -> None:
    rules = read_rules("minimum_notice_hours = 48\n[continuity]\nclinician = 0\n")
    assert rules == Rules(minimum_notice_hours=48, continuity=Continuity(clinician=0))


def test_the_example_says_what_holds_by_default_but_for_what_it_shows() -> None:
    rules = read_rules(EXAMPLE.read_text(encoding="utf-8"))
    shown = {"classes": Rules().classes, "hubs": Rules().hubs, "roles": Rules().roles}
    assert rules.model_copy(update=shown) == Rules()
    assert [each.longest_wait_days for each in rules.classes] == [7, 14, None]
    assert rules.open_to("MADEUP001") == {"MADEUP001", "MADEUP003"}


def test_the_example_shows_every_rule_there_is() -> None:
    text = EXAMPLE.read_text(encoding="utf-8")
    assert [
        name for name in (*Rules.model_fields, *Hub.model_fields, *PriorityClass.model_fields) if name not in text
    ] == []


def test_each_priority_has_its_own_class_by_default_and_none_given_is_last() -> None:
    assert sorted(range(10), key=Rules().rank) == [1, 2, 3, 4, 5, 6, 7, 8, 9, 0]


class TestHubs:
    shared = Rules(
        hubs=(Hub(name="Coast", practices=("A1", "B2")), Hub(name="Hills", practices=("C3",), shared_by=("D4",)))
    )

    def test_the_members_of_a_hub_share_what_is_free_at_each(self) -> None:
        assert self.shared.open_to("A1") == {"A1", "B2"}
        assert self.shared.planned_with("A1") == self.shared.planned_with("B2") == ("A1", "B2")

    def test_where_one_practice_shares_its_slots_the_others_keep_theirs(self) -> None:
        assert self.shared.open_to("C3") == {"C3", "D4"}
        assert self.shared.open_to("D4") == {"D4"}
        assert self.shared.planned_with("D4") == ("C3", "D4")

    def test_any_other_practice_is_by_itself(self) -> None:
        assert self.shared.open_to("E5") == {"E5"}
        assert self.shared.planned_with("E5") == ("E5",)


HUBS = '[[hubs]]\nname = "Coast"\npractices = ["A1"]\n\n[[hubs]]\nname = "Hills"\n'


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("horizon_days = 14\nminimum_notice_huors = 48\n", "minimum_notice_huors (line 2)"),
        ("\n[continuity]\ndoctor = 3\n", "continuity.doctor (line 3)"),
        ("\n\n[extra_session]\nslots = 6\nminuets = 10\n", "extra_session.minuets (line 5)"),
        ("continuity = { clinician = 1, chanel = 2 }\n", "continuity.chanel (line 1)"),
        (CLASSES.replace("priorities", "prioritys"), "classes.1.prioritys (line 8)"),
        (CLASSES + "longest_wait_day = 3\n", "classes.1.longest_wait_day (line 9)"),
        ('classes = [\n  {name = "a", priorities = [1]},\n  {nam = "b"},\n]\n', "classes.1.nam (line 3)"),
        (HUBS + 'practises = ["B2"]\n', "hubs.1.practises (line 7)"),
        ("[channnels]\nhome = []\n", "channnels (line 1)"),
        ('[channels]\nin-persn = ["video"]\n', "channels.in-persn (line 2)"),
    ],
)
def test_a_typo_is_named_with_its_line_at_any_depth(text: str, named: str) -> None:
    assert named in complaint(text)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ('horizon_days = "14"\n', "horizon_days (line 1)"),
        ("horizon_days = true\n", "horizon_days (line 1)"),
        ("horizon_days = 14.5\n", "horizon_days (line 1)"),
        ("hubs = 3\n", "hubs (line 1)"),
        ("roles = { GP = 'Nurse' }\n", "roles.GP (line 1)"),
        (CLASSES.replace("7, 8", "7, 'x'"), "classes.1.priorities.4 (line 8)"),
        (HUBS + "practices = 'B2'\n", "hubs.1.practices (line 7)"),
        ("[continuity]\nchannel = []\n", "continuity.channel (line 2)"),
    ],
)
def test_a_wrong_type_is_named_with_its_line(text: str, named: str) -> None:
    assert named in complaint(text)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("leave_free_percent = 110\n", "leave_free_percent (line 1)"),
        (CLASSES + "longest_wait_days = 0\n", "classes.1.longest_wait_days (line 9)"),
        ("\nnever_used = [\n  'nhs-111',\n  'sameday',\n]\n", "never_used.1 (line 4)"),
        ("[channels]\nhome = ['home', 'fax']\n", "channels.home.1 (line 2)"),
        ("[[hubs]]\nname = 'Coast'\n", "hubs.0.practices (line 1): it is missing"),
        (HUBS + "practices = ['B2', 'A1']\n", "hubs.1.practices (line 7): A1 is in two hubs, Coast and Hills"),
        (HUBS + "practices = ['B2']\nshared_by = ['A1']\n", "hubs.1.shared_by (line 8): A1 is in two hubs"),
        (HUBS + "practices = ['B2']\nshared_by = ['C3', 'C3']\n", "hubs.1.shared_by (line 8): C3 stands there twice"),
        (HUBS.replace("Hills", "Coast") + "practices = ['B2']\n", "hubs.1.name (line 6): two hubs are called Coast"),
        (CLASSES.replace("rest", "first"), "classes.1.name (line 7): two classes are called first"),
        (CLASSES.replace("[4,", "[3, 4,"), "classes.1.priorities (line 8): classes must name each priority"),
        (CLASSES.replace("[4,", "[4, 4,"), "classes.1.priorities (line 8): a priority stands there twice"),
        (
            CLASSES.replace(", 0]", "]"),
            "classes (line 2): classes must name each priority from 0 to 9 once; none names 0",
        ),
        ("never_used = ['same-day']\n", "never_used (line 1): never_used must name nhs-111"),
        ("[channels]\nhome = ['home']\n", "channels (line 1): channels must say what may stand in for"),
    ],
)
def test_a_wrong_value_is_named_with_its_line(text: str, named: str) -> None:
    assert named in complaint(text)


def test_what_was_meant_is_guessed_and_every_mistake_is_named() -> None:
    message = complaint("minimum_notice_huors = 48\nfresh_offers = -1\n")
    assert "is minimum_notice_hours meant?" in message
    assert "fresh_offers (line 2)" in message


def test_a_file_that_is_not_toml_says_where() -> None:
    assert "line 2" in complaint("horizon_days = 14\nminimum notice\n")


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
