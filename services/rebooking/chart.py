"""Draws the burn-down of a backlog: what is still to be done, stacked by state, falling towards zero.

The same figures give the same bytes. Letters are drawn as outlines, so that it looks and prints the same everywhere.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from io import BytesIO
from threading import Lock
from typing import Literal

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import FuncFormatter, MaxNLocator

from services.rebooking.burn_down import BurnDown, Counts, days, midnight_after
from services.rebooking.case_states import State
from shared.clock import in_london, london_date

Format = Literal["svg", "png"]

_BANDS: Sequence[tuple[State, str, str]] = (
    ("displaced", "#12304f", "no time yet"),
    ("planned", "#2f6694", "no time yet, but a place in a plan"),
    ("moved", "#6fa3c8", "new time, to be told or changed"),
    ("told", "#c3d9e8", "told, no answer yet"),
    ("to_call", "#e07b39", "to be telephoned"),
)
"""From the bottom. Each blue is lighter than the one below: they can be told apart in grey, and by the colour-blind."""

_FINISHED: Sequence[tuple[State, str]] = (("confirmed", "said that it suits"), ("done", "nothing more to do"))

_INK, _SOFT, _LINE = "#1d2733", "#5d6b7a", "#d9dfe6"

_TICKS = tuple(timedelta(minutes=minutes) for minutes in (1, 2, 5, 10, 15, 30, 60, 120, 180, 360))
_MOST_TICKS = 8

_DRAWING = Lock()
"""matplotlib's settings are the whole process's, and the routes draw in threads."""


def draw(name: str, backlog: BurnDown, kind: Format) -> bytes:
    """The chart of the backlog of what goes by this name, as a picture of this kind."""
    with _DRAWING, rc_context({"svg.hashsalt": "daybook", "svg.fonttype": "path"}):
        figure = Figure(figsize=(10, 5.2), facecolor="white")
        axes = figure.add_axes((0.075, 0.12, 0.63, 0.68))
        _headings(figure, name, backlog)
        _areas(axes, backlog)
        _figures_now(figure, backlog.now)
        picture = BytesIO()
        nothing: dict[str, None] = {"Date": None} if kind == "svg" else {"Software": None}
        figure.savefig(picture, format=kind, dpi=160, metadata=nothing)
    return picture.getvalue()


def _headings(figure: Figure, name: str, backlog: BurnDown) -> None:
    everybody = backlog.now.everybody
    if not everybody:
        words = "nobody has been displaced"
    elif backlog.open:
        words = f"{backlog.open:,} of {everybody:,} displaced appointments need something yet"
    else:
        words = f"all {everybody:,} displaced appointments are settled"
    figure.text(0.03, 0.935, _shortened(name), fontsize=11, color=_SOFT)
    figure.text(0.03, 0.872, words[0].upper() + words[1:], fontsize=15, fontweight="bold", color=_INK)
    if backlog.as_of:
        counted = f"Counted from the log as of {in_london(backlog.as_of):%A %-d %B %Y, %H:%M}, London time"
        figure.text(0.03, 0.03, counted, fontsize=8.5, color=_SOFT)


def _shortened(name: str, most: int = 90) -> str:
    return name if len(name) <= most else f"{name[: most - 1]}…"


def _areas(axes: Axes, backlog: BurnDown) -> None:
    if backlog.points:
        _stack(axes, backlog)
        _time(axes, backlog.points[0].at, backlog.points[-1].at)
    axes.set_ylim(0, max(backlog.now.everybody * 1.06, 1))
    axes.yaxis.set_major_locator(MaxNLocator(5, integer=True))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda number, _: f"{number:,.0f}"))
    axes.tick_params(colors=_SOFT, labelsize=9, length=0, pad=6)
    axes.grid(axis="y", color=_LINE, linewidth=0.7)
    axes.set_axisbelow(True)
    for side, spine in axes.spines.items():
        spine.set_visible(side == "bottom")
        spine.set_color(_SOFT)


def _stack(axes: Axes, backlog: BurnDown) -> None:
    moments = [point.at.timestamp() for point in backlog.points]
    heights = [[getattr(point.counts, state) for point in backlog.points] for state, _, _ in _BANDS]
    everybody = [point.counts.everybody for point in backlog.points]
    axes.stackplot(moments, heights, colors=[colour for _, colour, _ in _BANDS], linewidth=0.6, edgecolor="white")
    axes.plot(moments, everybody, color=_SOFT, linewidth=1.1, linestyle=(0, (4, 3)))
    axes.annotate(
        f"{everybody[-1]:,} displaced in all",
        (moments[-1], everybody[-1]),
        (0, 5),
        textcoords="offset points",
        horizontalalignment="right",
        fontsize=9,
        color=_SOFT,
    )


def _time(axes: Axes, first: datetime, last: datetime) -> None:
    """London's days, or its hours if there are few of those; the axis is as long as the whole, and never nothing."""
    last = max(last, first + timedelta(minutes=1))
    axes.set_xlim(first.timestamp(), last.timestamp())
    ticks = _ticks(first, last)
    axes.set_xticks([tick.timestamp() for tick in ticks], [_named(in_london(tick)) for tick in ticks])
    if london_date(first) == london_date(last):
        axes.set_xlabel(f"{in_london(last):%A %-d %B}", fontsize=9, color=_SOFT, loc="right")


def _ticks(first: datetime, last: datetime) -> Sequence[datetime]:
    """Round hours or minutes by London's clock, or else midnights, every day or every so many."""
    midnights = [midnight_after(day - timedelta(days=1)) for day in days(first, last)]
    for step in _TICKS:
        if (last - first) / step <= _MOST_TICKS:
            # From instant to instant, since a day on which the clocks change is not 24 hours long.
            start = midnights[0].astimezone(UTC)
            return [start + number * step for number in range(-((start - first) // step), (last - start) // step + 1)]
    return midnights[1 :: -(-len(midnights) // _MOST_TICKS)]


def _named(tick: datetime) -> str:
    return f"{tick:%a %-d %b}" if tick.time() == time() else f"{tick:%H:%M}"


def _figures_now(figure: Figure, now: Counts) -> None:
    """Beside the areas, in their order: what each is, and how many it is now."""
    left, top, step = 0.745, 0.755, 0.088
    for row, (state, colour, words) in enumerate(reversed(_BANDS)):
        height = top - row * step
        figure.add_artist(Rectangle((left - 0.022, height - 0.012), 0.012, 0.05, color=colour, linewidth=0))
        _figure(figure, left, height, getattr(now, state), words, _INK)
    for row, (state, words) in enumerate(_FINISHED, len(_BANDS)):
        _figure(figure, left, top - row * step - 0.025, getattr(now, state), words, _SOFT)


def _figure(figure: Figure, left: float, height: float, number: int, words: str, colour: str) -> None:
    figure.text(left, height + 0.014, f"{number:,}", fontsize=13, fontweight="bold", color=colour)
    figure.text(left, height - 0.014, words, fontsize=9, color=_SOFT)
