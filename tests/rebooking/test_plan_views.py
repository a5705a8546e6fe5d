"""What a plan shows before anyone says yes: who is placed by when, who waits longest, and whether that is fair."""

from datetime import timedelta
from pathlib import Path
from typing import Any

from services.rebooking.demand import read_diary
from services.rebooking.plan_views import current_plan
from services.rebooking.rules import Hub, Rules
from shared.events.base import Event
from tests.harness import County
from tests.rebooking.neighbours import (
    FRIDAY,
    MONDAY,
    PEOPLE,
    WEDNESDAY,
    Surgery,
    booked,
    published,
    registered,
    slot,
    surgery,
)

RULES = """
leave_free_percent = 0

[[classes]]
name = "urgent"
priorities = [1, 2]

[[classes]]
name = "routine"
priorities = [3, 4, 5, 6, 7, 8, 9, 0]
"""
HUB = '\n[[hubs]]\nname = "Coast"\npractices = ["A1", "B2"]\n'


def lost(clinic: Surgery) -> list[Event]:
    """Three patients at A1, by video and in person, one of them urgent, one without a mobile; one at B2."""
    patients = [clinic.keys.pseudonym("patient", number) for number in PEOPLE[:4]]
    starts = [FRIDAY + timedelta(minutes=10 * number) for number in range(4)]
    slots = [slot(f"lost {n}", start, channel="video" if n == 2 else "in-person") for n, start in enumerate(starts)]
    return [
        *registered("A1", "B2"),
        published("friday", *slots[:3]),
        published("friday at b", slots[3], practice="B2"),
        booked("urgent", "friday", "lost 0", starts[0], patients[0], priority=2),
        booked("no mobile", "friday", "lost 1", starts[1], patients[1], textable=False),
        booked("by video", "friday", "lost 2", starts[2], patients[2]),
        booked("at b", "friday at b", "lost 3", starts[3], patients[3], practice="B2"),
    ]


def free() -> list[Event]:
    at_b = [slot("b wed", WEDNESDAY), slot("b thu", WEDNESDAY + timedelta(days=1))]
    return [published("wednesday", slot("a wed", WEDNESDAY)), published("wednesday at b", *at_b, practice="B2")]


async def proposed(clinic: Surgery) -> tuple[str, dict[str, Any]]:
    await clinic.hears(clinic.booking, *lost(clinic), *free())
    outage = await clinic.declared()
    await clinic.paper(outage)
    answer = await clinic.post(f"/{outage}/plan")
    assert answer.status_code == 201, answer.text
    return outage, answer.json()


def rules_file(folder: Path, text: str) -> Path:
    file = folder / "rules.toml"
    file.write_text(text)
    return file


async def test_a_plan_shows_who_is_placed_by_when_who_waits_longest_and_whether_it_is_fair(
    county: County, tmp_path: Path
) -> None:
    async with surgery(county, rules_file=rules_file(tmp_path, RULES)) as clinic:
        outage, plan = await proposed(clinic)
        assert (plan["placed"], plan["unplaced"], plan["follow_up"]) == (2, 2, False)
        assert (plan["by_day"], plan["placed_by"]) == ({"2024-07-24": 2}, {"2024-07-24": 2})
        urgent, routine = plan["by_class"]
        waits = {"longest_wait_hours": 120.0, "mean_wait_hours": 120.0}
        longest = {"appointment": "urgent", "practice": "A1", "hours": 120.0}
        assert urgent == {
            "name": "urgent",
            "priorities": [1, 2],
            "placed": 1,
            "unplaced": 0,
            **waits,
            "longest": longest,
        }
        assert (routine["name"], routine["placed"], routine["unplaced"]) == ("routine", 1, 2)
        assert routine["longest"]["appointment"] == "at b"
        fairness = plan["fairness"]
        assert {at: each["unplaced"] for at, each in fairness["by_practice"].items()} == {"A1": 2, "B2": 0}
        assert {how: each["placed"] for how, each in fairness["by_channel"].items()} == {"in-person": 2, "video": 0}
        assert (fairness["with_mobile"]["placed"], fairness["without_mobile"]["unplaced"]) == (2, 1)
        assert plan["reasons"] == {
            "All slots that fit and may be used went to patients of the same or a higher priority": 1,
            "None of the free slots that fit otherwise suits a patient booked for video": 1,
        }
        assert [(part["practice"], part["mean_wait_hours"]) for part in plan["practices"]] == [
            ("A1", 120.0),
            ("B2", 119.5),
        ]
        left = await clinic.get(f"/{outage}/plan/unplaced")
        assert [(each["appointment"], each["channel"], each["textable"]) for each in left] == [
            ("no mobile", "in-person", False),
            ("by video", "video", True),
        ]
        assert left[1]["reason"] == "None of the free slots that fit otherwise (1) suits a patient booked for video"
        [value, *_] = await clinic.get(f"/{outage}/plan/capacity?practice=A1&days=2")
        assert (value["practice"], value["day"], value["role"], value["more_placed"]) == ("A1", "2024-07-23", "GP", 1)


async def test_a_plan_that_nobody_approved_in_time_shows_as_expired(county: County, tmp_path: Path) -> None:
    async with surgery(county, rules_file=rules_file(tmp_path, RULES)) as clinic:
        outage, plan = await proposed(clinic)
        assert {part["state"] for part in plan["practices"]} == {"proposed"}
        async with clinic.rebooking.engine.connect() as connection:
            late = await current_plan(connection, outage, MONDAY + timedelta(hours=5), Rules())
        assert {part.state for part in late.practices} == {"expired"}


async def test_a_hub_is_planned_from_what_is_free_at_all_its_practices(county: County, tmp_path: Path) -> None:
    async with surgery(county, rules_file=rules_file(tmp_path, RULES + HUB)) as clinic:
        outage, plan = await proposed(clinic)
        assert (plan["placed"], plan["reasons"]) == (
            3,
            {"None of the free slots that fit otherwise suits a patient booked for video": 1},
        )
        rules = Rules(leave_free_percent=0, hubs=(Hub(name="Coast", practices=("A1", "B2")),))
        async with clinic.rebooking.engine.connect() as connection:
            alone = await read_diary(connection, outage, rules, MONDAY, ["B2"])
        assert [each.appointment for each in alone.patients()] == ["at b"]
        taken_by_a = {"a wed", "b wed", "b thu"} - {each.slot for each in alone.slots()}
        assert len(taken_by_a) == 2, "the plan of A1, which lies before the operator, has two of the hub's slots"
