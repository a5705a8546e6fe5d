"""`daybook up` itself: one at a time, nothing left behind however it ends, and nothing forgotten."""

import signal

from services.operator.bearer import PracticeBearer
from tests.journeys.recovery import CSV
from tests.journeys.running import Daybook, is_alive, until
from tests.waiting import DEADLINE

PRACTICES = (
    "ods_code,name,town,postcode,registered_patients,nhs111_slots_per_day\nMADEUP1,Mill Lane,Wexcombe,ZZ1 1ZZ,8000,2\n"
)


def test_it_may_be_killed_and_started_again_and_nothing_is_left_or_lost(daybook: Daybook) -> None:
    """How it ends when it is told to, every journey shows that has it up."""
    second = daybook.process("up")
    assert (second.returncode, "already running in" in second.stderr) == (2, True)
    daybook.ask("booking", "POST", "/v1/practices", content=PRACTICES, headers=CSV)
    system = PracticeBearer(daybook.token("--practice", "MADEUP1"))
    before = daybook.ask("booking", "GET", "/v1/practices")
    pids = daybook.pids()
    assert set(pids) == {"postgres", "nats", "booking", "rebooking", "notifications", "sandbox", "console"}
    daybook.up.send_signal(signal.SIGKILL)
    daybook.up.wait(DEADLINE)
    until("no process is left behind", lambda: not [pid for pid in pids.values() if is_alive(pid)])

    daybook.start()
    after = daybook.ask("booking", "GET", "/v1/practices")
    assert after == before
    assert "MADEUP1" in [each["practice"] for each in after]
    assert daybook.ask("booking", "GET", "/v1/status", auth=system), "a token counts as long as it says"
    page = daybook.command("status")
    assert (page.returncode, page.stdout.count(" up ")) == (0, 10), page.stdout
