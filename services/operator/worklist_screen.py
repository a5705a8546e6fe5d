"""The worklists as people read them: what to look up at a provider, and what patients wrote."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.padding import Padding
from rich.text import Text

from services.operator.screen import out, plain
from services.operator.story_screen import KINDS, when


def print_unknown(found: Sequence[Mapping[str, Any]]) -> None:
    """What to look up, where, and under what."""
    if not found:
        out().print("Of every message it is known whether it was sent.")
        return
    table = plain(
        "message", "practice", "appointment", "provider", "reference", "since", "telephone", figures=["tried"]
    )
    for each in found:
        cells = (each["practice"], when(each["appointment_start"]), each["provider"], each["reference"])
        since = when(each["since"]) if each["since"] else ""
        table.add_row(
            *map(_folded, (each["message"], *cells, since, each["telephone"] or "(erased)")), str(each["attempts"])
        )
    out().print(table)
    out().print("Look each up at its provider, then: daybook messages settle MESSAGE --sent (or --not-sent)")


def print_replies(found: Sequence[Mapping[str, Any]]) -> None:
    """Each text, and below it what it may be an answer to."""
    screen = out()
    for each in found:
        screen.print(Text(each["reply"], style="bold"), Text(f"{each['minutes']:,} minutes ago", style="dim"))
        screen.print(Padding(Text(each["text"] if each["text"] is not None else "(erased)"), (0, 0, 0, 2)))
        for candidate in each["candidates"]:
            screen.print(Padding(_candidate(candidate), (0, 0, 0, 4)))
        if not each["candidates"]:
            screen.print(Padding(Text("Nobody was texted there whom it could be about."), (0, 0, 0, 4)))
    if found:
        screen.print("Then: daybook messages resolve REPLY --message MESSAGE --answer …")
    else:
        screen.print("Every text that came in has been read.")


def _candidate(each: Mapping[str, Any]) -> Text:
    answered = f"answered before: {each['answered']}" if each["answered"] else "not answered before"
    return Text.assemble(
        (each["message"], "bold"),
        f"  {each['first_name'] or '(erased)'}, {each['practice_name']} ({each['practice']}), {each['when']} "
        f"({each['status']}); {KINDS[each['kind']]}, {each['state']}; code {each['code']}; {answered}",
    )


def _folded(text: str) -> Text:
    return Text(text, overflow="fold")
