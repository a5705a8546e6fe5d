"""A preview of texts as people read it: how many, what they cost, and how they look on the telephone."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.padding import Padding
from rich.text import Text

from services.operator.screen import out, plain, right

_UNTEXTED = {
    "without_mobile": "no mobile number that can be texted",
    "opted_out": "no texts wanted",
    "erased": "data erased",
    "against_rules": "a name that no text may hold",
}


def print_preview(found: Mapping[str, Any]) -> None:
    """What it comes to, then the texts themselves."""
    screen = out()
    for sentence in _sentences(found):
        screen.print(sentence, soft_wrap=True, markup=False)
    if not found["messages"]:
        return
    screen.print("", _by_segments(found), "")
    _print_example("A typical text", found["typical"])
    _print_example("The longest", found["longest"])


def print_templates(templates: Sequence[Mapping[str, Any]]) -> None:
    """Each template with values that are made up, or else what is wrong with it."""
    screen = out()
    for each in templates:
        whose = "" if each["own"] else " (Daybook's own)"
        if each["faults"]:
            screen.print(Text(f"{each['file']}{whose} breaks the rules:", style="bold red"))
            for fault in each["faults"]:
                screen.print(f"  {fault}", soft_wrap=True, markup=False)
            continue
        coded = each["segments_with_code"]
        more = f", {coded} with a code" if coded > each["segments"] else ""
        screen.print(Text(f"{each['file']}{whose}: {_size(each)}{more}", style="bold"))
        screen.print(Padding(Text(each["text"]), (0, 0, 0, 2)))
    wrong = sum(bool(each["faults"]) for each in templates)
    screen.print(f"{wrong} of {len(templates)} break the rules." if wrong else "All keep the rules.")


def _sentences(found: Mapping[str, Any]) -> Iterator[str]:
    if found["messages"]:
        yield (
            f"{_many(found['messages'], 'text')} in {_many(found['segments'], 'segment')}: "
            f"{_pounds(found['cost_pence'])} before VAT, at {found['price_pence']:g}p a segment."
        )
    else:
        yield "No text would be sent: there is no plan that can be approved, or it moves nobody who can be texted."
    reasons = [f"{why} ({found[name]:,})" for name, why in _UNTEXTED.items() if found[name]]
    if reasons:
        number = sum(found[name] for name in _UNTEXTED)
        yield f"{_many(number, 'patient')} to be telephoned instead: {', '.join(reasons)}."
    planned = found["planned"]
    if planned and planned["planned"]:
        yield (
            f"Besides, {_many(planned['planned'], 'text')} in {_many(planned['segments'], 'segment')} "
            f"({_pounds(planned['segments'] * found['price_pence'])}) have been planned already; "
            f"{planned['waiting']:,} of them are still to be sent."
        )


def _by_segments(found: Mapping[str, Any]) -> Any:
    table = plain("a text of", "", "")
    for segments, number in found["by_segments"].items():
        cost = _pounds(segments * number * found["price_pence"])
        table.add_row(_many(segments, "segment"), right(f"{number:,}"), right(cost))
    if found["ucs2"]:
        table.add_row("of them not in GSM letters", right(f"{found['ucs2']:,}"), "")
    return table


def _print_example(what: str, example: Mapping[str, Any]) -> None:
    out().print(Text(f"{what}, {_size(example)}:", style="bold"))
    out().print(Padding(Text(example["text"]), (0, 0, 0, 2)))


def _size(example: Mapping[str, Any]) -> str:
    letters = "" if example["coding"] == "gsm-7" else ", not in GSM letters"
    return f"{_many(example['segments'], 'segment')} ({example['units']} characters{letters})"


def _many(number: int, what: str) -> str:
    return f"{number:,} {what}" + ("" if number == 1 else "s")


def _pounds(pence: float) -> str:
    return f"£{pence / 100:,.2f}"
