"""The tables of rebooking. Each is folded from the events of exactly one service."""

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, MetaData, Table, Text, text
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP

METADATA = MetaData()

ROOM = {"fillfactor": 50}
"""Half of each page is left for the next version of its rows, where most rows change, and on a lost day all at once. A
row that stays on its page and whose indexed columns stay as they are needs no new entry in any index."""

practices = Table(
    "practices",
    METADATA,
    Column("practice", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("freed", BigInteger, nullable=False),
)
"""From booking: who keeps a diary. `freed` is the position of the newest event that gave the practice free slots."""

sessions = Table(
    "sessions",
    METADATA,
    Column("session", Text, primary_key=True),
    Column("practice", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("clinician", Text, nullable=False),
    Column("clinician_role", Text, nullable=False),
    Column("location", Text, nullable=False),
)
"""From booking: the pages of the diaries."""

slots = Table(
    "slots",
    METADATA,
    Column("slot", Text, primary_key=True),
    Column("session", Text, nullable=False),
    Column("practice", Text, nullable=False),
    Column("start", TIMESTAMP(timezone=True), nullable=False),
    Column("minutes", Integer, nullable=False),
    Column("channel", Text, nullable=False),
    Column("service_type", Text, nullable=False),
    Column("kept_for", Text, nullable=False),
    Column("appointment", Text),
    Column("withdrawn", Boolean, nullable=False),
    Index("slots_start", "start"),
    postgresql_with=ROOM,
)
"""From booking: `appointment` is the one that has the slot, if any; of a slot that is held, the one to come."""

appointments = Table(
    "appointments",
    METADATA,
    Column("appointment", Text, primary_key=True),
    Column("session", Text, nullable=False),
    Column("practice", Text, nullable=False),
    Column("slot", Text, nullable=False),
    Column("patient", Text, nullable=False),
    Column("start", TIMESTAMP(timezone=True), nullable=False),
    Column("minutes", Integer, nullable=False),
    Column("priority", Integer, nullable=False),
    Column("booked_at", TIMESTAMP(timezone=True), nullable=False),
    Column("status", Text, nullable=False),
    Column("sealed", Text, nullable=False),
    Column("textable", Boolean, nullable=False),
    Index("appointments_practice_start", "practice", "start"),
    postgresql_with=ROOM,
)
"""From booking: `slot` is the first; `status` is booked, arrived, fulfilled, missed, cancelled, rescheduled (by the
practice itself), moved, displaced (its slots were withdrawn) or entered-in-error. `sealed` is who the patient is, for
the day list and the call list; only the patient's key opens it."""

messages = Table(
    "messages",
    METADATA,
    Column("message", Text, primary_key=True),
    Column("outage", Text, nullable=False),
    Column("practice", Text, nullable=False),
    Column("appointment", Text, nullable=False),
    Column("told_at", TIMESTAMP(timezone=True)),
    postgresql_with=ROOM,
)
"""From notifications: which appointment a message is about, and when the provider took it."""

outages = Table(
    "outages",
    METADATA,
    Column("outage", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("practices", JSONB, nullable=False),
    Column("started_at", TIMESTAMP(timezone=True), nullable=False),
    Column("ended_at", TIMESTAMP(timezone=True)),
    Column("declared_by", Text, nullable=False),
    Column("declared_at", TIMESTAMP(timezone=True), nullable=False),
    Column("kind", Text, nullable=False),
    Column("keeps_out", JSONB, nullable=False),
    Column("automatic", Boolean, nullable=False),
    Column("automatic_by", Text, nullable=False),
)
"""`kind` is outage or withdrawal; a withdrawal starts and ends when the practice withdrew the session. `automatic`:
capacity that appears later is given away without asking again."""

outage_practices = Table(
    "outage_practices",
    METADATA,
    Column("outage", Text, primary_key=True),
    Column("practice", Text, primary_key=True),
)

recoveries = Table(
    "recoveries",
    METADATA,
    Column("outage", Text, primary_key=True),
    Column("appointment", Text, primary_key=True),
    Column("practice", Text, nullable=False),
    Column("patient", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("evidence", Text, nullable=False),
    Column("happened_at", TIMESTAMP(timezone=True), nullable=False),
    Column("typed_at", TIMESTAMP(timezone=True), nullable=False),
    Column("typed_by", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("wish", Text, nullable=False),
    Column("standing", Text, nullable=False),
    Index("recoveries_appointment", "appointment"),
    Index("recoveries_standing", "standing", postgresql_where=text("standing <> ''")),
    postgresql_with=ROOM,
)
"""One row per reconciled appointment. `outcome` is what became of it on the day, `state` how far it has come since:
attended, missed, cancelled, elsewhere, triage, rescheduled, or displaced → planned → requested → moved or refused →
kept, unanswered or declined. `standing` is the newest appointment it was moved to; while another time is looked for in
its place, the state stays declined. `happened_at` is when it became so, `typed_at` when that was written down here."""

constraints = Table(
    "constraints",
    METADATA,
    Column("outage", Text, primary_key=True),
    Column("appointment", Text, primary_key=True),
    Column("practice", Text, nullable=False),
    Column("constraints", JSONB, nullable=False),
    Column("noted_by", Text, nullable=False),
)
"""When and how a patient can be seen (`shared.events.rebooking.Constraints` as JSON)."""

plans = Table(
    "plans",
    METADATA,
    Column("outage", Text, primary_key=True),
    Column("practice", Text, primary_key=True),
    Column("plan", Text, primary_key=True),
    Column("part", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("read_position", BigInteger, nullable=False),
    Column("proposed_at", TIMESTAMP(timezone=True), nullable=False),
    Column("expires_at", TIMESTAMP(timezone=True), nullable=False),
    Column("approved_by", Text, nullable=False),
    Column("approved_at", TIMESTAMP(timezone=True)),
    Column("follow_up", Boolean, nullable=False),
)
"""One row per practice's part of a plan; `state` is proposed, approved or expired."""

placements = Table(
    "placements",
    METADATA,
    Column("outage", Text, primary_key=True),
    Column("appointment", Text, primary_key=True),
    Column("practice", Text, nullable=False),
    Column("plan", Text, nullable=False),
    Column("from_session", Text, nullable=False),
    Column("to_session", Text, nullable=False),
    Column("to_slot", Text, nullable=False),
    Column("to_start", TIMESTAMP(timezone=True), nullable=False),
    Column("minutes", Integer, nullable=False),
    Column("priority", Integer, nullable=False),
    Column("standing", Text, nullable=False),
    Column("to_practice", Text, nullable=False),
)
"""The place that the newest plan which looked for one has found for an appointment."""

unplaced = Table(
    "unplaced",
    METADATA,
    Column("outage", Text, primary_key=True),
    Column("appointment", Text, primary_key=True),
    Column("practice", Text, nullable=False),
    Column("plan", Text, nullable=False),
    Column("priority", Integer, nullable=False),
    Column("reason", Text, nullable=False),
)
"""The appointments for which the newest plan found no place, and why."""

moves = Table(
    "moves",
    METADATA,
    Column("move", Text, primary_key=True),
    Column("outage", Text, nullable=False),
    Column("practice", Text, nullable=False),
    Column("appointment", Text, nullable=False),
    Column("to_session", Text, nullable=False),
    Column("to_slot", Text, nullable=False),
    Column("to_start", TIMESTAMP(timezone=True), nullable=False),
    Column("requested_at", TIMESTAMP(timezone=True), nullable=False),
    Column("state", Text, nullable=False),
    Column("to_appointment", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("standing", Text, nullable=False),
    Column("to_practice", Text, nullable=False),
    Column("confirmed_at", TIMESTAMP(timezone=True)),
    Column("answer_by", TIMESTAMP(timezone=True)),
    Column("answer", Text, nullable=False),
    Index("moves_outage", "outage"),
    postgresql_with=ROOM,
)
"""What booking was asked for; `state` is requested, confirmed or refused. `standing` is the appointment that was to
give way, if not the lost one; `answer` is kept, another-time, cancel, unanswered, or empty while nothing is known."""

calls = Table(
    "calls",
    METADATA,
    Column("outage", Text, primary_key=True),
    Column("appointment", Text, primary_key=True),
    Column("practice", Text, nullable=False),
    Column("patient", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("needed_at", TIMESTAMP(timezone=True), nullable=False),
    Column("state", Text, nullable=False),
    Column("claimed_by", Text, nullable=False),
    Column("claimed_until", TIMESTAMP(timezone=True)),
)
"""Whom to telephone; `state` is needed or made."""

call_attempts = Table(
    "call_attempts",
    METADATA,
    Column("outage", Text, primary_key=True),
    Column("practice", Text, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("appointment", Text, nullable=False),
    Column("made_at", TIMESTAMP(timezone=True), nullable=False),
    Column("outcome", Text, nullable=False),
    Column("made_by", Text, nullable=False),
    Column("note", Text, nullable=False),
    Index("call_attempts_appointment", "outage", "appointment"),
)
"""Every call that was made; `version` is that of its event in the recovery's stream, `note` is sealed."""
