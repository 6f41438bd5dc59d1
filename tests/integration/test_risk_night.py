"""A desk's night in Dagster: stress scenarios of what it holds, and the risk report of its day."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.support.busy_day import busy_home
from tests.support.dagster_runs import dagster_runs

pytestmark = [
    pytest.mark.process,
    pytest.mark.timeout(600),
    pytest.mark.heavy(suite="orchestration"),
]


def test_a_night_stresses_what_is_held_and_reports_the_days_risk(tmp_path: Path) -> None:
    # From noon to noon: after 17:00 in New York the day of the market is the next one's.
    noon = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0) - timedelta(days=1)
    with busy_home(tmp_path, ["live"], round(noon.timestamp() * 1e6)) as busy:
        lived, client = busy.days["live"], busy.server.client
        day = datetime.fromtimestamp(lived.start_us / 1e6, UTC).date().isoformat()
        begun = client.command("SELECT toString(now64(6))")
        settings = {"TICKHOUSE_RUN__RUN_ID": lived.run.run_id, "TICKHOUSE_RUN__MODE": "live"}
        stressed, reported = dagster_runs(tmp_path, "stress_job", f"reports_job:{day}", **settings)
        lost = {
            str(scenario): float(profit)
            for scenario, profit in client.query(
                "SELECT scenario, min(profit) FROM stress_result"
                f" WHERE ts_init >= '{begun}' GROUP BY scenario"
            ).result_rows
        }
    for night in (stressed, reported):
        assert night["success"], json.dumps(night)
    metadata = stressed["metadata"]["stress_results"]
    worst = min(lost, key=lambda name: lost[name])
    assert (metadata["scenarios"], metadata["worst"]) == (
        str(len(lost)),
        f"{worst}: {lost[worst]:,.2f}",
    )
    assert lost[worst] < 0
    folder = Path(reported["metadata"]["report_risk"]["folder"])
    assert (folder / "risk.pdf").read_bytes().startswith(b"%PDF")
    assert len((folder / "days.csv").read_text().splitlines()) > 1
