"""What runs came to: a line for each, a table for the page, and the whole story of one that failed."""

from collections import Counter
from collections.abc import Iterator, Sequence

from tests.chaos.cycle import Run
from tests.chaos.history import OUTCOMES, Outcome
from tests.chaos.schedule import kinds

ASKED = (
    "book", "hold", "confirm", "release", "amend", "reschedule", "cancel", "publish", "extend", "withdraw", "import",
    "declare", "end", "reconcile", "plan", "approve", "answer a text",
)  # fmt: skip
"""Every kind of command that a client asks."""

TOLD_MOST = 5
"""So many violations of a run are told; what comes behind mostly follows from them."""


def line(run: Run) -> str:
    """The run on one line."""
    outcomes, verdict = run.history.outcomes(), f"{len(run.violations)} VIOLATIONS" if run.violations else "clean"
    asked = ", ".join(f"{outcomes[each]} {each}" for each in OUTCOMES)
    faults = ", ".join(f"{count} {kind}" if count > 1 else kind for kind, count in sorted(run.faults.items()))
    return (
        f"seed {run.schedule.seed}: {len(run.history.commands)} commands ({asked}), {len(run.history.reads)} reads; "
        f"faults: {faults}; {run.events} events, {run.messages} lines of the gateway's journal; "
        f"at rest {run.converged:.1f} s after; {run.seconds:.0f} s; {verdict}"
    )


def story(run: Run) -> str:
    """What a failing run has to say: its seed, its schedule, and what was broken first."""
    told = [str(violation) for violation in run.violations[:TOLD_MOST]]
    more = len(run.violations) - len(told)
    return "\n".join([str(run.schedule), "", *told, *([f"… and {more} more"] if more else [])])


def table(runs: Sequence[Run]) -> str:
    """All runs as Markdown, and what happened how often."""
    heads = ("seed", *OUTCOMES, "reads", "faults", "events", "at rest after", "verdict")
    rows = [heads, tuple("---" for _ in heads), *map(_row, runs)]
    return "\n".join(["| " + " | ".join(row) + " |" for row in rows] + ["", *_counted(runs)]) + "\n"


def never_happened(runs: Sequence[Run]) -> list[str]:
    """Faults, outcomes, and commands done, that no run has seen: what they would have shown, nobody knows."""
    faults, outcomes, done = faults_of(runs), outcomes_of(runs), done_of(runs)
    return [
        *(kind for kind in kinds() if not faults[kind]),
        *(outcome for outcome in OUTCOMES if not outcomes[outcome]),
        *(kind for kind in ASKED if not done[kind]),
    ]


def faults_of(runs: Sequence[Run]) -> Counter[str]:
    return sum((run.faults for run in runs), Counter())


def outcomes_of(runs: Sequence[Run]) -> Counter[Outcome]:
    return sum((run.history.outcomes() for run in runs), Counter())


def done_of(runs: Sequence[Run]) -> Counter[str]:
    """Commands that were done, by kind."""
    return sum((run.history.kinds() for run in runs), Counter())


def _row(run: Run) -> tuple[str, ...]:
    outcomes = run.history.outcomes()
    return (
        str(run.schedule.seed),
        *(str(outcomes[each]) for each in OUTCOMES),
        str(len(run.history.reads)),
        str(run.faults.total()),
        str(run.events),
        f"{run.converged:.1f} s",
        f"{len(run.violations)} violations" if run.violations else "clean",
    )


def _counted(runs: Sequence[Run]) -> Iterator[str]:
    faults, done = faults_of(runs), done_of(runs)
    yield "Faults: " + ", ".join(f"{kind} {faults[kind]}" for kind in kinds()) + "."
    yield ""
    yield "Commands done: " + ", ".join(f"{kind} {count}" for kind, count in sorted(done.items())) + "."
