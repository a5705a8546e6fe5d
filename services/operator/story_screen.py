"""Messages as people read them: what happened to one, step by step, and all that one patient was told."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from services.operator.screen import out, plain, right
from shared.clock import in_london

KINDS = {
    "moved": "new time",
    "reminder-3": "reminder, 3 days ahead",
    "reminder-1": "reminder, the day before",
    "kept": "confirmation: kept",
    "asked": "confirmation: another time",
    "cancelled": "confirmation: cancelled",
}


def print_story(story: Mapping[str, Any]) -> None:
    """What it was about, and what happened to it, in order."""
    screen = out()
    about = f"{KINDS[story['kind']]}, {story['practice']}, for {when(story['appointment_start'])}: {story['state']}"
    screen.print(Text(story["message"], style="bold"), Text(about), soft_wrap=True)
    screen.print(_steps(story["history"]))


def print_told(told: Mapping[str, Any]) -> None:
    """Everything, the oldest first."""
    screen = out()
    if not (told["messages"] or told["calls"]):
        screen.print("Nobody with this number was ever texted.")
    if told["erased"]:
        screen.print("This patient has been erased: what was said can no longer be read.")
    for message in told["messages"]:
        print_story(message)
        if message["text"] is not None:
            screen.print(
                Text(f"  to {message['telephone']}:", style="dim"), Padding(Text(message["text"]), (0, 0, 0, 4))
            )
        for answer in message["answers"]:
            screen.print(Text(f"  answered {when(answer['received_at'])} ({answer['answer']}):", style="dim"))
            screen.print(Padding(Text(answer["text"] or ""), (0, 0, 0, 4)))
        screen.print()
    for each in told["unmatched"]:
        read = "daybook messages replies" if each["open"] else f"read by {each['resolved_by']}"
        said = f"{when(each['received_at'])}: a text from the same telephone that no one message explains; {read}"
        screen.print(Text(said), soft_wrap=True)
    for call in told["calls"]:
        screen.print(Text(f"{when(call['raised_at'])}: somebody was to telephone. {call['reason']}"), soft_wrap=True)


def _steps(history: Sequence[Mapping[str, Any]]) -> Table:
    table = plain("", "")
    table.show_header = False
    for step in history:
        table.add_row(right(when(step["at"])), Text(step["said"], overflow="fold"))
    return table


def when(instant: str) -> str:
    """Mon 22 Jul, 10:00, as a clock in London shows it."""
    return f"{in_london(datetime.fromisoformat(instant)):%a %-d %b, %H:%M}"
