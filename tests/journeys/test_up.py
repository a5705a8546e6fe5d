"""`daybook up` itself: one at a time, nothing left behind however it ends, and nothing forgotten."""

import signal
from pathlib import Path

from services.operator.bearer import PracticeBearer
from tests.journeys.recovery import CSV
from tests.journeys.running import daybook_up, is_alive, until

PRACTICES = (
    "ods_code,name,town,postcode,registered_patients,nhs111_slots_per_day\nMADEUP1,Mill Lane,Wexcombe,ZZ1 1ZZ,8000,2\n"
)


def test_it_may_be_killed_and_started_again_and_nothing_is_left_or_lost(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with daybook_up(home) as daybook:
        second = daybook.command("up")
        assert (second.returncode, "already running in" in second.stderr) == (2, True)
        daybook.ask("booking", "POST", "/v1/practices", content=PRACTICES, headers=CSV)
        system = PracticeBearer(daybook.token("--practice", "MADEUP1"))
        pids = daybook.pids()
        assert set(pids) == {"postgres", "nats", "booking", "rebooking", "notifications", "sandbox", "console"}
        daybook.up.send_signal(signal.SIGKILL)
        daybook.up.wait(10)
        until("no process is left behind", lambda: not [pid for pid in pids.values() if is_alive(pid)])

    with daybook_up(home) as daybook:
        assert [each["practice"] for each in daybook.ask("booking", "GET", "/v1/practices")] == ["MADEUP1"]
        assert daybook.ask("booking", "GET", "/v1/status", auth=system), "a token counts as long as it says"
        page = daybook.command("status")
        assert (page.returncode, page.stdout.count(" up ")) == (0, 10)
        pids = daybook.pids()
        daybook.up.send_signal(signal.SIGINT)
        assert daybook.up.wait(60) == 0
        assert not [pid for pid in pids.values() if is_alive(pid)]
