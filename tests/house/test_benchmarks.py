"""The benchmarks work: both apps start, do the same work, and lose nothing. Their figures are for a quiet machine."""

import asyncio
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


async def test_the_benchmarks_measure_both_apps_and_find_nothing_wrong(tmp_path: Path) -> None:
    report = tmp_path / "report.md"

    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "benchmarks", "--quick", "--report", str(report)),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()

    assert process.returncode == 0, said.decode()
    tables = report.read_text()
    assert "times as fast as the peer" in tables
    assert "Daybook: one practice, 16 clients at once" in tables
