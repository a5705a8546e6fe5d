"""What an operator would send to the board after the lost day: the closing report, and the chart of the backlog."""

from services.operator.demo_services import Place

PAPERS = {
    "demo-closing-report.html": "report.html",
    "demo-burn-down.svg": "burndown.svg",
    "demo-burn-down.png": "burndown.png",
}
"""By the name of the file in the home, where rebooking gives it."""


async def keep_papers(place: Place, outage: str) -> None:
    """Write them beside the report of the demo."""
    home = place.supervisor.settings.home.root
    with place.screen.stage("Write the closing report"):
        for name, page in PAPERS.items():
            (home / name).write_bytes(await place.fetch("rebooking", f"/v1/outages/{outage}/{page}"))
    place.screen.says(f"Closing report and burn-down of the backlog: {home / 'demo-closing-report.html'}")
