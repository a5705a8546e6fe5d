"""The states in which a displaced appointment can be, and how each step of its recovery changes them.

At every moment each appointment that was ever displaced is in one state, so the states add up to all of them:

- `to_call`: somebody has to telephone, and nobody has with an end to it. Goes before all others but `done`, so that it
  is the length of the call lists.
- `displaced`: has no time, and no place in a plan.
- `planned`: has no time, but a place in a plan that is not carried out yet: proposed, approved, or asked of booking.
- `moved`: has a new time, and the next word is ours: the provider has not taken the text yet, or the patient asked for
  another time and one is looked for. (The new time stands meanwhile, so they are not displaced.)
- `told`: has a new time, the provider has taken the text, and the next word is the patient's.
- `confirmed`: said that the new time suits, by text or telephone.
- `done`: nothing more is to be done. No answer came in time, so the new time stands; or the patient cancelled it; or it
  became known that no other time is needed (seen after all, cancelled, settled in a call or otherwise).

All but `confirmed` and `done` are open: work to do.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, get_args

from services.rebooking.case_steps import Step
from services.rebooking.states import CALL_AGAIN

State = Literal["displaced", "planned", "moved", "told", "to_call", "confirmed", "done"]
STATES: tuple[State, ...] = get_args(State)
OPEN: tuple[State, ...] = ("displaced", "planned", "moved", "told", "to_call")


@dataclass(slots=True)
class Case:
    """One reconciled appointment, as its steps so far have left it.

    `standing` is the appointment it was moved to last, which starts at `new_start`; `answer` is the newest about that
    one. The `…_at` are when each happened first. `calls` counts how often one was needed, `attempts` those made, and
    `unreached` says that the last of them reached nobody. `state` is as above; None if it was never displaced.
    """

    practice: str
    state: State | None = None
    outcome: str = ""
    stage: Literal["waits", "planned", "requested", "moved", "asks-again", "kept", "over"] = "waits"
    told: bool = False
    to_call: bool = False
    answer: Literal["", "kept", "another-time", "cancel", "unanswered"] = ""
    standing: str = ""
    new_start: datetime | None = None
    displaced_at: datetime | None = None
    moved_at: datetime | None = None
    told_at: datetime | None = None
    reached_at: datetime | None = None
    moves: int = 0
    calls: int = 0
    attempts: int = 0
    unreached: bool = False

    def take(self, step: Step) -> None:
        """Go on by this step."""
        match step.what:
            case "reconciled":
                self._reconciled(step)
            case "placed" | "unplaced" | "expired" | "constrained" | "requested" | "refused":
                self._sought(step)
            case "moved":
                self._moved(step)
            case "told":
                self.told, self.told_at = True, self.told_at or step.at
            case "kept" | "declined" | "unanswered":
                self._answered(step)
            case "call-needed":
                self.calls += not self.to_call
                self.to_call = True
            case "call-made":
                self._called(step)
            case "proposed" | "approved":
                pass
        self.state = self._state()

    def _state(self) -> State | None:
        if self.displaced_at is None:
            return None
        if self.outcome != "displaced":
            return "done"
        if self.to_call:
            return "to_call"
        match self.stage:
            case "waits":
                return "displaced"
            case "planned" | "requested":
                return "planned"
            case "moved":
                return "told" if self.told else "moved"
            case "asks-again":
                return "moved"
            case "kept":
                return "confirmed"
            case "over":
                return "done"

    def _reconciled(self, step: Step) -> None:
        self.outcome = step.name
        if step.name == "displaced":
            self.stage, self.displaced_at = "waits", self.displaced_at or step.at
        else:
            self.unreached = False

    def _sought(self, step: Step) -> None:
        """Only of who has no time yet: whoever asks for another one goes on asking until they are moved."""
        match step.what, self.stage:
            case "placed", "waits":
                self.stage = "planned"
            case "requested", ("waits" | "planned"):
                self.stage = "requested"
            case (("unplaced" | "expired" | "constrained"), "planned") | ("refused", "requested"):
                self.stage = "waits"
            case _:
                pass

    def _moved(self, step: Step) -> None:
        self.stage, self.answer, self.told = "moved", "", False
        self.standing, self.new_start = step.name, step.start
        self.moved_at = self.moved_at or step.at
        self.moves += 1

    def _answered(self, step: Step) -> None:
        match step.what, step.name:
            case "unanswered", _:
                self.stage, self.answer = "over", "unanswered"
                return
            case "kept", _:
                self.stage, self.answer = "kept", "kept"
            case _, "another-time":
                self.stage, self.answer = "asks-again", "another-time"
            case _:
                self.stage, self.answer = "over", "cancel"
        self._reached(step.at)

    def _called(self, step: Step) -> None:
        """What the patient wished in the call is said by an event of its own."""
        self.attempts += 1
        if step.name in CALL_AGAIN:
            self.unreached = True
        else:
            self.to_call = False
            self._reached(step.at)

    def _reached(self, at: datetime) -> None:
        self.reached_at, self.unreached = self.reached_at or at, False
