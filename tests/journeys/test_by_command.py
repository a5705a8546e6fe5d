"""The whole recovery by command, as an operator without any other tool would do it."""

from pathlib import Path

import msgspec

from services.operator.county import practices_csv
from services.operator.demo_recovery import CAME_BACK, WENT_DOWN, paper
from tests.journeys.recovery import SEED, District, Recovery, finished, require_all_went_to_plan
from tests.journeys.running import Daybook
from tests.operator.receiver import SECRET, receiving

ORDER = (
    "booked at ",
    "lost, to be given another time",
    "a plan has a place on",
    "the plan was approved by a person",
    "booking is asked to move it to",
    "moved to ",
    "a text about the new time was written",
    "the text was given to ",
)
"""What the story of a moved appointment tells, from all three services, if its patient can be texted."""


def test_a_county_is_recovered_by_command_alone(daybook: Daybook, district: District, tmp_path: Path) -> None:
    files = write(district, tmp_path)
    assert daybook.facts("import", "practices", str(files["practices"])) == {"registered": len(district.codes)}
    imported = daybook.facts("import", "diary", *(str(files[code]) for code in district.codes))
    assert imported["appointments"] > 150
    assert imported["refused"] == []
    daybook.at_rest()
    opened = daybook.facts("practice", "open", district.codes[0].lower(), "--type", "urgent-care", "--days-ahead", "14")
    assert (opened["opening"]["organisation_types"], opened["opening"]["days_ahead"]) == (["urgent-care"], 14)
    assert daybook.facts("practice", "open", district.codes[0], "--closed")["opening"]["closed"]

    packed = daybook.facts("continuity-pack", "--days", "2", "--to", str(tmp_path / "packs"))
    assert packed["appointments"] > 0
    for code in district.codes:
        assert len(list((tmp_path / "packs" / "current" / code).iterdir())) == 2 * len(("html", "pdf", "csv"))
    assert daybook.facts("practice", "day-list", district.codes[0], "--from", "2024-07-23")["days"][0]["sessions"]

    practices = [word for code in district.codes for word in ("--practice", code)]
    outage = daybook.facts("outage", "declare", "Friday", "--from", WENT_DOWN, *practices)["outage"]
    assert outage in [each["outage"] for each in daybook.facts("outage", "list")]
    daybook.facts("outage", "end", outage, "--at", CAME_BACK)
    reconciled = daybook.facts("outage", "reconcile", str(files["paper"]), outage, "--rest", "displaced")
    assert reconciled["unaccounted"] == 0
    proposed = daybook.facts("plan", "propose", outage)
    assert daybook.facts("plan", "show", outage)["hash"] == proposed["hash"]
    daybook.facts("plan", "approve", proposed["hash"], outage, "--by", "a person")
    finished(daybook, Recovery(outage, proposed["hash"], proposed["placed"]))

    assert daybook.facts("outage", "show", outage)["progress"]["moved"] == proposed["placed"]
    assert "moved" in daybook.command("outage", "show", outage).stdout
    printed = daybook.command("events", "--type", "AppointmentMoved", "--practice", district.codes[0], "--json")
    headings = [msgspec.json.decode(line) for line in printed.stdout.splitlines()]
    assert len(headings) == next(
        part["placed"] for part in proposed["practices"] if part["practice"] == district.codes[0]
    )
    assert not [heading for heading in headings if "data" in heading]
    require_all_went_to_plan(daybook, Recovery(outage, proposed["hash"], proposed["placed"]))
    look_back(daybook, outage, district.codes[0])


def look_back(daybook: Daybook, outage: str, practice: str) -> None:
    """What it was, what happened to one appointment, and what a system that was away is sent."""
    declared = daybook.facts("outage", "show", outage)["declared_at"]
    then = daybook.facts("at", "outage", "--at", declared, outage)
    assert (then["displaced"], then["ended_at"], then["recorded_later"]["attended"] > 0) == (0, None, True)
    assert daybook.command("at", "outage", outage, "--at", "2024-07-21T08:31").returncode == 2
    with receiving() as system:
        order = ("--practice", practice, "--from", WENT_DOWN, "--to", system.url, "--rate", "1000")
        done = daybook.command("redeliver", *order, "--json", DAYBOOK_WEBHOOK_SECRET=SECRET)
    assert done.returncode == 0, done.stderr
    changes = daybook.ask("booking", "GET", "/v1/changes", params={"practice": practice, "limit": 1000})["changes"]
    assert [each["id"] for each in system.taken] == [each["id"] for each in changes]
    moved = [each["data"] for each in changes if each["type"].endswith(".appointment-moved.v1")]
    lost = next(each["appointment"] for each in moved if each["textable"])
    story = daybook.command("story", lost).stdout
    assert daybook.facts("at", "appointment", lost, "--at", declared)["status"] == "booked"
    missing = [words for words in ORDER if words not in story]
    assert not missing, story
    assert [story.index(words) for words in ORDER] == sorted(story.index(words) for words in ORDER), story


def write(district: District, directory: Path) -> dict[str, Path]:
    """The files a county would have: its practices, a diary each, and the paper of the day."""
    texts = {diary.practice: diary.text for diary in district.diaries}
    texts |= {"practices": practices_csv(district.practices), "paper": paper(district.diaries, SEED).text}
    files = {name: directory / f"{name}.csv" for name in texts}
    for name, text in texts.items():
        files[name].write_text(text)
    return files
