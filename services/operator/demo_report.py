"""What the lost day came to: every figure as the services' own tables and logs have it, and what is wrong with them."""

from collections.abc import Iterator

from msgspec import Struct, field
from rich.table import Table


class Replies(Struct, frozen=True):
    """What patients answered."""

    keep: int
    another_time: int
    cancel: int

    def __str__(self) -> str:
        return f"{self.keep} keep, {self.another_time} another time, {self.cancel} cancel"


class Rebuilt(Struct, frozen=True):
    """A service made again from the stream: from so many events, whether it is what it was, and how many messages
    reached the gateway by that, which must be none."""

    events: int
    seconds: float
    equal: bool
    texts: int


class Seconds(Struct, frozen=True):
    """How long it took to make the county up, to import its diaries, to plan, to move, to plan the messages."""

    generate: float
    importing: float = field(name="import")
    plan: float
    move: float
    messages_planned: float
    total: float


class Report(Struct, frozen=True):
    """The figures of `demo-report.json`. The names of its fields are a promise.

    `moved` are patients; `fresh_offers` are further moves of some of them, who had asked for another time. Messages are
    notices of moves; `confirmations` answer the patients' answers.
    """

    practices: int
    appointments: int
    seen_on_paper: int
    cancelled: int
    triage: int
    displaced: int
    planned: int
    moved: int
    unplaced: int
    messages_planned: int
    messages_accepted: int
    messages_duplicated: int
    replies: Replies
    double_booked: int
    ring_fenced_used: int
    fresh_offers: int
    another_time_to_call: int
    confirmations: int
    rebuilt: dict[str, Rebuilt]
    seconds: Seconds


class Expected(Struct, frozen=True):
    """What the figures must agree with: the county's files, the paper, the gateway, and the services' other logs.

    `replies` is what patients sent; `offers` how rebooking recorded their answers.
    """

    practices: int
    appointments: int
    seen_on_paper: int
    cancelled: int
    moves_at_booking: int
    textable_moves: int
    confirmations_planned: int
    at_gateway: int
    replies: Replies
    offers: Replies
    cancelled_by_patients: int


def faults(report: Report, expected: Expected) -> tuple[str, ...]:
    """Everything that is lost, doubled or unequal, a sentence each; none if all is well."""
    return (*_lost(report, expected), *_doubled(report), *_unequal(report))


def _lost(report: Report, expected: Expected) -> Iterator[str]:
    accounted = report.seen_on_paper + report.cancelled + report.triage + report.displaced
    pairs = (
        ("practices registered", report.practices, "in the county", expected.practices),
        ("appointments found", report.appointments, "on the lost day", expected.appointments),
        ("appointments accounted for", accounted, "found", report.appointments),
        ("seen", report.seen_on_paper, "seen by the paper", expected.seen_on_paper),
        ("cancelled", report.cancelled, "cancelled by the paper", expected.cancelled),
        ("moved or without a place", report.moved + report.unplaced, "displaced", report.displaced),
        ("moved", report.moved, "planned", report.planned),
        ("moves confirmed", report.moved + report.fresh_offers, "made by booking", expected.moves_at_booking),
        (
            "fresh offers or calls",
            report.fresh_offers + report.another_time_to_call,
            "asked for another time",
            report.replies.another_time,
        ),
        ("messages planned", report.messages_planned, "moved patients who can be texted", expected.textable_moves),
        ("messages accepted", report.messages_accepted, "planned", report.messages_planned),
        ("answers confirmed", report.confirmations, "to be confirmed", expected.confirmations_planned),
        (
            "messages and confirmations accepted",
            report.messages_accepted + report.confirmations,
            "in the gateway's own list",
            expected.at_gateway,
        ),
        ("appointments called off by patients", expected.cancelled_by_patients, "asked for", report.replies.cancel),
    )
    yield from (f"{found:,} {what}, but {wanted:,} {than}" for what, found, than, wanted in pairs if found != wanted)
    if report.replies != expected.replies:
        yield f"replies received: {report.replies}; but patients sent: {expected.replies}"
    if expected.offers != report.replies:
        yield f"answers that reached rebooking: {expected.offers}; but received: {report.replies}"


def _doubled(report: Report) -> Iterator[str]:
    if report.double_booked:
        yield f"{report.double_booked:,} slots were held by two appointments at once"
    if report.messages_duplicated:
        yield f"{report.messages_duplicated:,} messages were more than one for one change"
    if report.ring_fenced_used:
        yield f"{report.ring_fenced_used:,} moves took a slot kept for NHS 111 or for the same day"


def _unequal(report: Report) -> Iterator[str]:
    if not report.rebuilt:
        yield "no service was rebuilt"
    for service, rebuilt in report.rebuilt.items():
        if not rebuilt.equal:
            yield f"{service}, rebuilt from the stream, is not what it was"
        if rebuilt.texts:
            yield f"rebuilding {service} sent {rebuilt.texts:,} messages"


def figures(report: Report) -> Table:
    """The report as a person reads it."""
    table = Table(title="The lost day, Friday 19 July 2024", show_header=False, title_justify="left")
    table.add_column("what", no_wrap=True)
    table.add_column("figure", justify="right", no_wrap=True)
    table.add_column("how known", style="dim")
    for what, figure, how in _lines(report):
        table.add_row(what, f"{figure:,}", how)
    return table


def _lines(report: Report) -> Iterator[tuple[str, int, str]]:
    yield "Practices", report.practices, "booking's log"
    yield "Appointments that day", report.appointments, "booking's log"
    yield "  seen on paper", report.seen_on_paper, "rebooking's log"
    yield "  cancelled", report.cancelled, "rebooking's log"
    yield "  same-day demand, for triage", report.triage, "rebooking's log; none rebooked"
    yield "  displaced", report.displaced, "rebooking's log"
    yield "    planned", report.planned, f"in {report.seconds.plan:.1f} s"
    yield "    moved", report.moved, f"{report.seconds.move:.1f} s after the approval"
    yield "    without a place", report.unplaced, "each with its reason"
    yield "Messages planned", report.messages_planned, f"{report.seconds.messages_planned:.1f} s after the approval"
    yield "  accepted by the gateway", report.messages_accepted, "notifications' log"
    yield "  sent twice", report.messages_duplicated, "its log and the gateway's list"
    yield "Replies: keep", report.replies.keep, "notifications' log"
    yield "  another time", report.replies.another_time, "notifications' log"
    yield "    given a fresh offer", report.fresh_offers, "another day, other half-day"
    yield "    for a person to telephone", report.another_time_to_call, "no other time was free"
    yield "  cancel", report.replies.cancel, "cancelled at booking"
    yield "  answered in turn", report.confirmations, "that it stands, is looked for, is cancelled"
    yield "Slots booked twice", report.double_booked, "booking's log"
    yield "Kept slots used by moves", report.ring_fenced_used, "booking's log"
    for service, rebuilt in report.rebuilt.items():
        verdict = "equal to what it was" if rebuilt.equal else "NOT what it was"
        yield f"Events {service} is rebuilt from", rebuilt.events, f"in {rebuilt.seconds:.1f} s, {verdict}"
    yield "Seconds, all together", round(report.seconds.total), f"{report.seconds.importing:.1f} s of them the import"
