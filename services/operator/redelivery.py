"""`daybook redeliver`: a stretch of a practice's changes once more, to its system's webhook, marked as a replay."""

import re
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime
from threading import Event
from typing import Annotated, Any

import msgspec
import typer

from services.operator.asking import ask
from services.operator.naming import instant, ods_code
from services.operator.redelivery_state import Order, Run, opened_run
from services.operator.screen import AsJson, err, out, show_json
from services.operator.settings import OperatorSettings, operator_settings
from services.operator.webhooks import Webhook, secret_of, webhook_url
from shared.refusals import Conflict, Refusal

FASTEST = 1000
_PAGE = "1000"

_OTHER_LOG = ("foreign-cursor", "cursor-beyond-head")

_CURSOR = re.compile(r"[A-Za-z0-9_-]{20}")

Deliver = Callable[[str, bytes], bool]


def redeliver(
    practice: Annotated[str, typer.Option(metavar="ODS", help="Whose changes.")],
    start: Annotated[str, typer.Option("--from", metavar="TIME|CURSOR", help="From this time, or after this cursor.")],
    to: Annotated[str, typer.Option(metavar="URL", help="The practice system's webhook.")],
    until: Annotated[str, typer.Option(metavar="TIME", help="Up to this time; up to now, if left out.")] = "",
    rate: Annotated[int, typer.Option(min=1, max=FASTEST, help="At most so many a second.")] = 10,
    again: Annotated[bool, typer.Option("--again", help="Begin anew, not where the same redelivery stood.")] = False,
    json: AsJson = False,
) -> None:
    """Send a practice's system the changes that it missed, in order, one at a time; given again, it goes on.

    Each is signed (Standard Webhooks) with the secret in DAYBOOK_WEBHOOK_SECRET, or in the file that
    DAYBOOK_WEBHOOK_SECRET_FILE names.
    """
    settings = operator_settings()
    order = order_of(practice, start, until, to)
    stop = Event()
    webhook = Webhook(order.url, secret_of(settings.given), stop)
    with _stopped_by_signals(stop), opened_run(settings.home.root, order, again=again) as run:
        try:
            # In a thread of its own, since a signal that interrupts who asks for `stop` would wait for itself for ever.
            with ThreadPoolExecutor(1) as thread:
                thread.submit(carry_on, settings, run, webhook.deliver, stop, rate).result()
        finally:
            webhook.close()
    _tell(run, as_json=json)
    if not run.done:
        raise typer.Exit(130)


def order_of(practice: str, start: str, until: str, to: str) -> Order:
    """What is asked for. Raises `Refusal` for what makes no sense."""
    code, url = ods_code(practice), webhook_url(to)
    since, after = _beginning(start)
    end = instant(until, "--until") if until else ""
    if since and end and datetime.fromisoformat(since) >= datetime.fromisoformat(end):
        raise Refusal(
            f"--until: {until} is not after {start}, so there is nothing between them",
            code="empty-range",
            where="--until",
        )
    return Order(practice=code, since=since, after=after, until=end, url=url)


def carry_on(settings: OperatorSettings, run: Run, deliver: Deliver, stop: Event, rate: int) -> None:
    """Deliver what is missing, until it is all there, or somebody says stop. Raises `Refusal` if there is nothing."""
    due = time.monotonic()
    for change in _missing(settings, run):
        if stop.wait(max(0.0, due - time.monotonic())):
            return
        due = max(due, time.monotonic() - 1.0) + 1.0 / rate
        if not deliver(change["id"], msgspec.json.encode({**change, "replay": True})):
            return
        run.delivered(change["cursor"])
    if not run.progress.delivered:
        order = run.order
        raise Refusal(
            f"Nothing happened at {order.practice} after {order.since or 'that cursor'}"
            f"{f' and until {order.until}' if order.until else ''}, so nothing was delivered",
            code="empty-range",
            where="--from",
        )
    run.finish()


def _missing(settings: OperatorSettings, run: Run) -> Iterator[dict[str, Any]]:
    """The changes of the range that have not been delivered, as booking's feed has them."""
    order, more = run.order, True
    place = (
        {"after": run.progress.after or order.after} if run.progress.after or order.after else {"since": order.since}
    )
    while more:
        params = {"practice": order.practice, "limit": _PAGE, **place}
        page = _page(settings, run, params)
        for change in page["changes"]:
            if order.until and datetime.fromisoformat(change["time"]) > datetime.fromisoformat(order.until):
                return
            yield change
        place, more = {"after": page["next"]}, page["more"]


def _page(settings: OperatorSettings, run: Run, params: dict[str, str]) -> dict[str, Any]:
    try:
        page: dict[str, Any] = ask(settings, "booking", "GET", "/v1/changes", params=params)
    except Refusal as refusal:
        if refusal.code not in _OTHER_LOG:
            raise
        stood = run.progress.after
        raise Conflict(
            "What was delivered last is not in booking's log, or it is of another log: its database was restored from "
            "an older copy, or replaced. --again delivers the whole of the range anew"
            if stood
            else "--from: this log ends before the cursor, or the cursor is of another log; give a time instead",
            code=refusal.code,
            where="--again" if stood else "--from",
        ) from None
    return page


def _beginning(text: str) -> tuple[str, str]:
    """A time, or else a cursor."""
    if _CURSOR.fullmatch(text.strip()):
        return "", text.strip()
    try:
        return instant(text, "--from"), ""
    except Refusal as refusal:
        raise Refusal(f"{refusal.message}, nor a cursor of the change feed", code="bad-range", where="--from") from None


@contextmanager
def _stopped_by_signals(stop: Event) -> Iterator[None]:
    """Ctrl-C ends it between two changes, so that none is left of which nobody knows whether it was taken."""
    before = {number: signal.signal(number, lambda *_: stop.set()) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _tell(run: Run, *, as_json: bool) -> None:
    if as_json:
        show_json({"order": run.order, "progress": run.progress})
    elif run.done:
        out().print(
            f"All {run.progress.delivered:,} changes are delivered to {run.order.url}.", soft_wrap=True, markup=False
        )
    else:
        err().print(
            f"Stopped after {run.progress.delivered:,} changes; the same command goes on with the next.", soft_wrap=True
        )
