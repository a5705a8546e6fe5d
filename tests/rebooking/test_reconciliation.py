"""Who was seen on paper: each line finds its appointment or says what is wrong with it; the rest goes by rule."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.rebooking.commands import Finding
from services.rebooking.paper import read_paper
from services.rebooking.reconciliation import (
    Found,
    LostAppointment,
    Said,
    all_at_once,
    by_rule,
    match_paper,
    match_said,
    piece_by_piece,
)
from shared.records import BadRows, Fault
from shared.refusals import Refusal

NOW = datetime(2024, 7, 22, 7, 0, tzinfo=UTC)
START = datetime(2024, 7, 19, 8, 10, tzinfo=UTC)
HEADER = "practice,start,nhs_number,outcome\n"
SOMEBODY, ANYBODY = "9990000018", "9990000026"


def lost(appointment: str = "lost", **details: Any) -> LostAppointment:
    usual = LostAppointment(appointment, "A1", f"patient {SOMEBODY}", START, START - timedelta(days=3), "anyone")
    return replace(usual, **details)


def faults(text: str, *appointments: LostAppointment) -> list[Fault]:
    rows, unreadable = read_paper(text, {"A1", "B2"}, NOW)
    _, unmatched = match_paper(rows, appointments, lambda number: f"patient {number}", NOW)
    return [*unreadable, *unmatched]


def found(text: str, *appointments: LostAppointment) -> list[Found]:
    rows, wrong = read_paper(text, {"A1", "B2"}, NOW)
    matched, more = match_paper(rows, appointments, lambda number: f"patient {number}", NOW)
    assert [*wrong, *more] == []
    return matched


class TestPaper:
    def test_a_line_finds_its_appointment_by_london_time(self) -> None:
        [one] = found(f"{HEADER}A1,2024-07-19T09:10,{SOMEBODY},attended\n", lost())
        assert one == Found("A1", Finding("lost", f"patient {SOMEBODY}", "attended", "paper"), START)

    def test_an_offset_may_be_given_and_numbers_may_be_spaced_as_on_letters(self) -> None:
        assert found(f"{HEADER}A1,2024-07-19T08:10:00Z,999 000 0018,missed\n", lost())

    def test_a_line_may_say_when_it_happened(self) -> None:
        text = f"practice,start,nhs_number,outcome,at\nA1,2024-07-19T09:10,{SOMEBODY},attended,2024-07-19T09:45\n"
        assert found(text, lost())[0].at == START + timedelta(minutes=35)

    def test_a_time_alone_is_of_the_day_of_the_appointment(self) -> None:
        text = f"practice,start,nhs_number,outcome,at\nA1,2024-07-19T09:10,{SOMEBODY},attended,9:45\n"
        assert found(text, lost())[0].at == START + timedelta(minutes=35)

    def test_a_sheet_of_the_continuity_pack_can_be_filled_in_and_sent_as_it_is(self) -> None:
        header = (
            "practice,session,clinician,clinician_role,location,service_type,channel,start,minutes,status,nhs_number,"
            "given_name,family_name,birth_date,telephone,priority,appointment,outcome,at"
        )
        line = (
            "A1,Friday,Dr Ames,GP,Room 1,Review,in-person,{start},10,booked,{number},Ann,Ash,1958-03-31,,2,id,{said},"
        )
        filled_in = line.format(start="2024-07-19T09:10:00+01:00", number=SOMEBODY, said="Elsewhere")
        nobody = line.format(start="2024-07-19T09:20:00+01:00", number="", said="")
        [one] = found(f"{header}\n{nobody}\n{filled_in}\n", lost())
        assert (one.finding.outcome, one.finding.evidence, one.at) == ("elsewhere", "paper", START)

    def test_a_line_that_says_when_and_not_what_is_a_fault(self) -> None:
        text = f"practice,start,nhs_number,outcome,at\nA1,2024-07-19T09:10,{SOMEBODY},,09:45\n"
        assert [fault.field for fault in faults(text, lost())] == ["outcome"]

    def test_a_file_about_one_practice_names_no_other(self) -> None:
        _, [fault] = read_paper(f"{HEADER}B2,2024-07-19T09:10,{SOMEBODY},attended\n", {"A1"}, NOW)
        assert fault == Fault(2, "practice", "This is about A1 alone, not about “B2”")

    def test_a_header_alone_says_nothing(self) -> None:
        assert found(HEADER, lost()) == []

    @pytest.mark.parametrize(
        ("line", "field", "reason"),
        [
            ("C3,2024-07-19T09:10,9990000018,attended", "practice", "“C3” is not a practice of this outage"),
            ("A1,yesterday,9990000018,attended", "start", "is not a date and time"),
            ("A1,2024-03-31T01:30,9990000018,attended", "start", "does not exist"),
            ("A1,2024-10-27T01:30,9990000018,attended", "start", "happens twice"),
            ("A1,2024-07-19T09:10,999000001,attended", "nhs_number", "ten digits"),
            ("A1,2024-07-19T09:10,9990000019,attended", "nhs_number", "check digit is wrong"),
            ("A1,2024-07-19T09:10,9990000018,came", "outcome", "“came” is none of attended, missed"),
            ("A1,2024-07-19T09:10,9990000018", "", "The row has 3 fields"),
            ('A1,2024-07-19T09:10,"9990000018,attended', "", "This is not CSV"),
        ],
    )
    def test_a_bad_line_is_named_with_its_field(self, line: str, field: str, reason: str) -> None:
        [fault] = faults(f"{HEADER}\n{line}\n", lost())
        assert (fault.line, fault.field) == (3, field)
        assert reason in fault.reason

    def test_nothing_happened_in_the_future(self) -> None:
        text = f"practice,start,nhs_number,outcome,at\nA1,2024-07-19T09:10,{SOMEBODY},attended,2024-07-23T09:45\n"
        assert faults(text, lost()) == [Fault(2, "at", "This is in the future")]

    def test_every_fault_of_a_line_is_named(self) -> None:
        assert [fault.field for fault in faults(f"{HEADER}C3,never,1,came\n")] == [
            "practice",
            "start",
            "nhs_number",
            "outcome",
        ]

    @pytest.mark.parametrize(
        ("header", "said"),
        [
            ("practice,start,outcome", "missing: nhs_number"),
            ("practice,start,nhs_number,outcome,note", "unknown: note"),
            ("practice,start,nhs_number,outcome,at,at", "there twice: at"),
            ("", "missing: practice, start"),
        ],
    )
    def test_the_first_line_names_the_columns(self, header: str, said: str) -> None:
        with pytest.raises(Refusal, match=said) as refused:
            read_paper(f"{header}\n", {"A1"}, NOW)
        assert refused.value.where == "line 1"

    def test_faults_are_told_by_line_without_the_number_that_was_wrong(self) -> None:
        told = BadRows(faults(f"{HEADER}A1,2024-07-19T09:10,9990000019,attended\n"))
        assert told.where == "line 2, nhs_number"
        assert "9990000019" not in told.message + str(told.errors)


class TestMatching:
    line = f"A1,2024-07-19T09:10,{SOMEBODY},attended\n"

    @pytest.mark.parametrize(
        "other", [{"practice": "B2"}, {"patient": f"patient {ANYBODY}"}, {"start": START + timedelta(minutes=10)}]
    )
    def test_somebody_who_was_not_booked_is_a_fault(self, other: dict[str, Any]) -> None:
        [fault] = faults(HEADER + self.line, lost(**other))
        assert fault == Fault(2, "nhs_number", "This patient had no appointment here at this time of the outage")

    def test_two_appointments_at_once_are_not_guessed_at(self) -> None:
        [fault] = faults(HEADER + self.line, lost(), lost("also"))
        assert "two appointments" in fault.reason

    def test_somebody_named_twice_is_a_fault(self) -> None:
        assert faults(HEADER + self.line + self.line, lost()) == [
            Fault(3, "outcome", "This is there twice: line 2 says the same")
        ]

    def test_lines_that_contradict_each_other_are_a_fault(self) -> None:
        missed = f"A1,2024-07-19T09:10,{SOMEBODY},missed\n"
        assert faults(HEADER + self.line + missed, lost()) == [
            Fault(3, "outcome", "This contradicts line 2, which says attended")
        ]

    def test_what_is_known_already_may_be_said_again(self) -> None:
        assert found(HEADER + self.line, lost(outcome="attended", evidence="paper", state="attended"))

    def test_what_the_rule_assumed_may_be_corrected(self) -> None:
        assert found(HEADER + self.line, lost(outcome="displaced", evidence="rule", state="planned"))

    @pytest.mark.parametrize(
        ("outcome", "evidence", "state"),
        [("missed", "paper", "missed"), ("displaced", "paper", "displaced"), ("displaced", "rule", "moved")],
    )
    def test_what_is_known_otherwise_is_not_contradicted(self, outcome: Any, evidence: Any, state: str) -> None:
        assert faults(HEADER + self.line, lost(outcome=outcome, evidence=evidence, state=state)) == [
            Fault(2, "outcome", f"It is already known to be {state}")
        ]


def said(*outcomes: Any) -> list[Said]:
    return [Said(number, "lost", outcome) for number, outcome in enumerate(outcomes)]


class TestSayingById:
    def test_finds_the_appointment_and_when_it_began(self) -> None:
        [one], [] = match_said(said("elsewhere"), [lost()], NOW)
        assert one == Found("A1", Finding("lost", f"patient {SOMEBODY}", "elsewhere", "paper"), START)

    def test_says_nothing_happened_in_the_future(self) -> None:
        [one], [] = match_said(said("cancelled"), [lost(start=NOW + timedelta(hours=3))], NOW)
        assert one.at == NOW

    @pytest.mark.parametrize(
        ("outcomes", "known", "place", "field", "reason"),
        [
            (["attended"], {"appointment": "other"}, 0, "appointment", "The outage takes no such appointment"),
            (["attended", "attended"], {}, 1, "outcome", "This is there twice: findings.0 says the same"),
            (["attended", "missed"], {}, 1, "outcome", "This contradicts findings.0, which says attended"),
            (
                ["missed"],
                {"outcome": "attended", "evidence": "paper", "state": "attended"},
                0,
                "outcome",
                "already known",
            ),
        ],
    )
    def test_that_makes_no_sense_is_named_by_its_place(
        self, outcomes: list[str], known: dict[str, Any], place: int, field: str, reason: str
    ) -> None:
        _, [wrong] = match_said(said(*outcomes), [lost(**known)], NOW)
        assert (wrong.said.number, wrong.field) == (place, field)
        assert reason in wrong.reason


class TestTheRest:
    @pytest.mark.parametrize(
        ("details", "outcome"),
        [
            ({}, "displaced"),
            ({"booked_at": START - timedelta(minutes=50)}, "triage"),
            ({"kept_for": "same-day"}, "triage"),
            ({"kept_for": "nhs-111"}, "displaced"),
            ({"booked_at": datetime(2024, 7, 18, 22, 59, tzinfo=UTC)}, "displaced"),
            ({"booked_at": datetime(2024, 7, 18, 23, 0, tzinfo=UTC)}, "triage"),
        ],
    )
    def test_same_day_demand_is_triage_and_all_else_displaced(self, details: dict[str, Any], outcome: str) -> None:
        [one] = by_rule([lost(**details)], ())
        assert (one.finding.outcome, one.finding.evidence, one.at) == (outcome, "rule", None)

    def test_who_is_accounted_for_is_left_alone(self) -> None:
        known = lost("known", outcome="attended", evidence="paper", state="attended")
        assert list(by_rule([lost("named"), known], {"named"})) == []


MANY = [
    Found(f"P{number % 3}", Finding(f"lost {number}", "patient", "displaced", "rule"), None) for number in range(4000)
]


def test_what_the_rule_says_of_a_county_comes_in_small_transactions() -> None:
    groups = list(piece_by_piece("outage", MANY, "Ann"))
    sizes = [sum(len(dated.command.findings) for dated in group) for group in groups]
    assert (sum(sizes), max(sizes) <= 1000) == (4000, True)


def test_what_was_typed_comes_at_once_by_practice_and_moment() -> None:
    dated = all_at_once("outage", [*MANY, found(HEADER + TestMatching.line, lost())[0]], "Ann")
    assert sum(len(each.command.findings) for each in dated) == 4001
    assert {(each.command.practice, each.at) for each in dated} == {
        ("P0", None),
        ("P1", None),
        ("P2", None),
        ("A1", START),
    }
    assert {each.command.typed_by for each in dated} == {"Ann"}
