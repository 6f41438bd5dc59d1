"""A report from its source tables: dbt builds its marts, then it is rendered and packaged.

Command line and Dagster call these functions. A night builds the marts of all its reports at once;
a report that is made alone builds its own.
"""

import json
from collections.abc import Sequence
from contextlib import AbstractContextManager
from datetime import date
from pathlib import Path

import msgspec

from adapters.clickhouse.client import connect
from audit.export import export
from core import checked_json
from core.clock import Clock
from core.file_lock import locked
from core.settings import Settings
from orchestration import dbt_project
from reports import build as report_build
from reports import firms, package
from reports.base import Report
from reports.package import Version


class BuiltMarts(msgspec.Struct, frozen=True):
    """Marts of a day, as a build left them. `by` is the run that asked for it."""

    by: str
    day: date
    mode: str
    marts: tuple[str, ...]
    invocation: str
    firm: str = ""  # whose accounts alone they hold

    def serves(self, by: str, report: Report, day: date, mode: str) -> bool:
        """Whether a report of a run may be rendered from it."""
        same = (self.by, self.day, self.mode, self.firm) == (by, day, mode, report.firm)
        return same and set(report.marts) <= set(self.marts)


def build_report(
    settings: Settings, report: Report, day: date, mode: str, out: Path | None, by: str,
    clock: Clock,
) -> tuple[Version, bool]:  # fmt: skip
    """Build, render, package; the version, and whether it is a new one.

    Raises:
        WarehouseError: dbt failed, or a contract or a test of its marts.
        UnavailableError: the disk is full, or no warehouse answers.
    """
    with _alone(settings):
        built = _build(settings, [report], day, mode, by)
        return _render(settings, report, built, out, by, clock)


def build(
    settings: Settings, reports: Sequence[Report], day: date, mode: str, by: str
) -> BuiltMarts:
    """The marts of several reports of one firm, once; `render` takes it from there.

    Raises:
        WarehouseError, UnavailableError: see make.
    """
    with _alone(settings):
        built = _build(settings, reports, day, mode, by)
        _note(settings).write_bytes(msgspec.json.encode(built))
    return built


def render(
    settings: Settings, report: Report, day: date, mode: str, run: str, by: str, clock: Clock
) -> tuple[Version, bool]:
    """From the marts that `build` made for the run; another build since then is made good."""
    with _alone(settings):
        built = _last(settings)
        if built is None or not built.serves(run, report, day, mode):
            built = _build(settings, [report], day, mode, run)
        return _render(settings, report, built, None, by, clock)


def _build(
    settings: Settings, reports: Sequence[Report], day: date, mode: str, by: str
) -> BuiltMarts:
    _note(settings).unlink(missing_ok=True)  # its compiled queries are replaced now
    variables: dict[str, str | bool] = {"mode": mode, "report_date": str(day)}
    firm = reports[0].firm
    client = connect(settings.clickhouse)
    try:
        export(client, settings.clickhouse, settings.home_path)
        if firm:
            own = firms.accounts(client, firm, mode, day)
            variables |= {"firm": firm, "firm_accounts": "\n".join(own)}
    finally:
        client.close()
    marts = tuple(sorted({mart for report in reports for mart in report.marts}))
    arguments = [
        "--select",
        *(f"+{mart}" for mart in marts),
        "--exclude-resource-type",
        "unit_test",
    ]
    dbt_project.run(settings, "build", variables, *arguments)
    results = json.loads((dbt_project.target(settings) / "run_results.json").read_text())
    return BuiltMarts(by, day, mode, marts, str(results["metadata"]["invocation_id"]), firm)


def _render(
    settings: Settings, report: Report, built: BuiltMarts, out: Path | None, by: str, clock: Clock
) -> tuple[Version, bool]:
    folder = package.folder_of(
        report_build.base_of(settings, out), report.name, built.day, built.mode
    )
    compiled = built.invocation, dbt_project.target(settings) / "compiled"
    client = connect(settings.clickhouse)
    try:
        return report_build.build_report(
            settings=settings, client=client, report=report, day=built.day, mode=built.mode,
            report_folder=folder, built=compiled, clock=clock, by=by,
        )  # fmt: skip
    finally:
        client.close()


def _alone(settings: Settings) -> AbstractContextManager[None]:
    """Two builds of one table would replace each other's partitions."""
    return locked(settings.home_path / "dbt.lock", timeout_s=3600)


def _note(settings: Settings) -> Path:
    path = dbt_project.target(settings) / "report_marts.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def _last(settings: Settings) -> BuiltMarts | None:
    try:
        return checked_json.decode(_note(settings).read_bytes(), BuiltMarts)
    except (OSError, msgspec.DecodeError):
        return None
