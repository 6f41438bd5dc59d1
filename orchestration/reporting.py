"""A report from its source tables: dbt builds its marts, then it is rendered and packaged.

Command line and Dagster call this one function.
"""

import json
from datetime import date
from pathlib import Path

from adapters.clickhouse.client import connect
from core.clock import Clock
from core.file_lock import locked
from core.settings import Settings
from orchestration import dbt_project
from reports import making, package
from reports.base import Report
from reports.package import Version
from reports.ship import ship


def make(
    settings: Settings, report: Report, day: date, mode: str, out: Path | None, by: str,
    clock: Clock,
) -> tuple[Version, bool]:  # fmt: skip
    """Build, render, package; the version, and whether it is a new one.

    Raises:
        WarehouseError: dbt failed, or a contract or a test of its marts.
        UnavailableError: the disk is full, or no warehouse answers.
    """
    client = connect(settings.clickhouse)
    try:
        ship(client, settings.clickhouse, settings.home_path)
        # Two builds of one table would replace each other's partitions.
        with locked(settings.home_path / "dbt.lock", timeout_s=3600):
            words = ["--select", *(f"+{mart}" for mart in report.marts)]
            words += ["--exclude-resource-type", "unit_test"]
            variables = {"mode": mode, "report_date": str(day)}
            dbt_project.run(settings, "build", variables, *words)
            built = _invocation(settings), dbt_project.target(settings) / "compiled"
            place = package.folder_of(making.base_of(settings, out), report.name, day, mode)
            return making.make(settings, client, report, day, mode, place, built, clock, by)
    finally:
        client.close()


def _invocation(settings: Settings) -> str:
    results = json.loads((dbt_project.target(settings) / "run_results.json").read_text())
    return str(results["metadata"]["invocation_id"])
