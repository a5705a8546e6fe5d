"""In SQL, what `keeping.verdict` says of one slot: which slots of others are there for an organisation to see.

An opening lets an organisation have the slots that start in a window of time, or none. A practice's window is worked
out once; a session's own opening is asked for each of its slots, and only as many slots as a page needs are asked.
"""

from datetime import datetime
from typing import Any

from services.booking.keeping import NHS_111
from services.booking.viewing import Viewer
from shared.clock import london_date


class Asked:
    """The values of a statement's parameters, in order."""

    def __init__(self) -> None:
        self.values: list[Any] = []

    def put(self, value: Any) -> str:
        """The parameter that stands for this value."""
        self.values.append(value)
        return f"${len(self.values)}"


class Openness:
    """What there is for a viewer now, in the parts of a statement about the slots `s`: `{houses} … {joined} … {seen}`.

    With `practice`, the statement is about that one alone.
    """

    def __init__(self, asked: Asked, viewer: Viewer, practice: str | None, now: datetime) -> None:
        instant, today = f"{asked.put(now)}::timestamptz", f"{asked.put(london_date(now))}::date"
        kind, code = asked.put(viewer.organisation_type or None), asked.put(viewer.organisation or None)
        of_practice = "true" if practice is None else f"practice = {asked.put(practice)}"
        after, before = _after("opening", instant), _before("opening", today)
        self.houses = f"""
            WITH houses AS MATERIALIZED (
                SELECT practice, {after} AS after, {before} AS before
                FROM openings WHERE {of_practice} AND {_lets_in("opening", kind, code, instant)}
            )"""
        self.joined = """
            LEFT JOIN houses ON houses.practice = s.practice
            LEFT JOIN sessions AS p
                ON p.session = s.session AND p.practice = s.practice AND p.opening IS NOT NULL"""
        own = _lets_in("p.opening", kind, code, instant)
        own = f"{own} AND s.start > {_after('p.opening', instant)} AND s.start < {_before('p.opening', today)}"
        ways = [
            f"""s.kept_for = 'anyone' AND CASE WHEN p.session IS NULL
                  THEN s.start > houses.after AND s.start < houses.before ELSE {own} END"""
        ]
        if viewer.organisation_type == NHS_111:
            ways.append(f"s.kept_for = 'nhs-111' AND s.start > {instant}")
        if viewer.organisation:
            ways.append(f"s.practice = {code}::text")
        self.seen = " OR ".join(f"({way})" for way in ways)


def _lets_in(opening: str, kind: str, code: str, instant: str) -> str:
    """Whether the opening has something for such an organisation, sooner or later."""
    return f"""
        NOT coalesce(({opening}->>'closed')::boolean, false)
        AND (coalesce({opening}->'organisation_types', '[]') = '[]' OR {opening}->'organisation_types' ? {kind}::text)
        AND (coalesce({opening}->'organisations', '[]') = '[]' OR {opening}->'organisations' ? {code}::text)
        AND coalesce(({opening}->>'embargo_until')::timestamptz <= {instant}, true)"""


def _after(opening: str, instant: str) -> str:
    """A slot that starts no later than this is closing, or has begun."""
    return f"({instant} + make_interval(mins => coalesce(({opening}->>'closes_minutes')::integer, 0)))"


def _before(opening: str, today: str) -> str:
    """A slot that starts at this instant or later has not been released: its day, in London, is too far ahead."""
    midnight = f"({today} + ({opening}->>'days_ahead')::integer + 1)::timestamp AT TIME ZONE 'Europe/London'"
    return f"coalesce({midnight}, 'infinity')"
