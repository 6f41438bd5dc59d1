"""Reports that were made of corrected days, made again beside what was filed.

Only reports that exist are made again: a day of which nobody made one has nothing to restate. What
was filed is never touched; other data give a version of their own, which names the one before
(reports.package), and the same data give none. A version that is damaged or gone leaves its report
pending, with the reason; the others go on.
"""

import uuid
from collections.abc import Sequence
from datetime import date, timedelta
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

from clickhouse_connect.driver.client import Client

from adapters.clickhouse.client import errors_translated
from core import crashpoint
from core.errors import InputError, TickhouseError
from orchestration import reporting
from orchestration.restatement import compare, rows, work
from orchestration.restatement.rows import Change, Restatement
from orchestration.restatement.work import Desk
from quality.trading_day import bounds
from reports import build as report_build
from reports import catalog, package
from reports.base import Report
from reports.package import Version

#: Days that a report looks back over, its own included.
_REACH = {"self-assessment": 366, "execution-quality-quarter": 93}
_TICKS = """
SELECT toDate(min(ts_event), 'UTC'), toDate(max(ts_event), 'UTC') FROM tick_version FINAL
WHERE correction_id = {correction:String}
    AND ts_event >= {start:DateTime64(6)} AND ts_event < {end:DateTime64(6)}
"""


class Filed(NamedTuple):
    """A report of a day that was made at least once."""

    report: Report
    day: date
    mode: str
    folder: Path

    @property
    def subject(self) -> str:
        """How `restatement` names it."""
        world = "" if self.mode == "live" else f" ({self.mode})"
        return f"{self.report.name} {self.day}{world}"


class Outcome(NamedTuple):
    """What was closed, and what could not be made again, with the reason."""

    closed: list[Restatement]
    problems: list[str]


def restate(desk: Desk) -> Outcome:
    """Make every filed report of the corrected days again.

    Raises:
        WarehouseError: dbt failed; nothing that was filed has changed, and the next call goes on.
    """
    outcome, run = Outcome([], []), f"restatement {uuid.uuid4().hex}"
    for one in rows.due(desk.client, "report"):
        changes, problems = _of_correction(desk, one, run)
        outcome.problems.extend(problems)
        if problems:
            work.note(desk, one, changes)
        else:
            outcome.closed.append(work.finish(desk, one, changes))
    return outcome


def _of_correction(desk: Desk, one: Restatement, run: str) -> tuple[dict[str, Change], list[str]]:
    """`run`: corrections that are worked off together share the marts of a day."""
    changes: dict[str, Change] = {}
    problems = []
    days, filed = concerned(desk, one)
    for (day, mode), together in groupby(filed, key=lambda report: (report.day, report.mode)):
        due = list(together)
        reports = [report.report for report in due]
        if not reporting.is_built(desk.settings, reports, day, mode, run):
            reporting.build(desk.settings, reports, day, mode, run)
        for report in due:
            try:
                changes[report.subject] = _made_again(desk, one, report, days, run)
            except TickhouseError as error:
                problems.append(f"{report.subject}: {error}")
    return changes, problems


def concerned(desk: Desk, one: Restatement) -> tuple[list[date], list[Filed]]:
    """UTC days whose rows a corrected tick may have a part in, and the reports made of them."""
    days = _days(desk.client, one)
    base = report_build.base_of(desk.settings)
    folders = sorted(
        base.glob("????-??-??/*"),
        key=lambda folder: (folder.parent.name, folder.suffix, folder.name),
    )
    all_filed = [filed for folder in folders if (filed := _filed(folder))]
    return days, [filed for filed in all_filed if any(_covers(filed, day) for day in days)]


def _days(client: Client, one: Restatement) -> list[date]:
    """Of the ticks of the correction within the trading day, and the days after: they look back."""
    start, end = bounds(one.trading_day)
    given = {"correction": one.correction_id, "start": start, "end": end}
    with errors_translated():
        first, last = client.query(_TICKS, parameters=given).result_rows[0]
    if first.year == 1970:  # no tick of ours: a statement, whose day is a UTC date
        return [one.trading_day]
    return [first + timedelta(n) for n in range((last - first).days + 2)]


def _covers(filed: Filed, day: date) -> bool:
    return filed.day - timedelta(_REACH.get(filed.report.name, 1)) < day <= filed.day


def _filed(folder: Path) -> Filed | None:
    name, _, mode = folder.name.partition(".")
    if name not in catalog.REPORTS or not any(folder.glob("v[0-9]*")):
        return None
    day = date.fromisoformat(folder.parent.name)
    return Filed(catalog.REPORTS[name], day, mode or "live", folder)


def _made_again(
    desk: Desk, one: Restatement, filed: Filed, days: Sequence[date], run: str
) -> Change:
    last = package.versions(filed.folder)[-1]
    if damaged := package.changed_files(last):
        names = ", ".join(damaged)
        raise InputError(str(last.folder), f"changed since it was filed: {names}; put it back")
    work.keep(desk, one, {filed.subject: {"version": last.manifest.version}})
    was = work.before(desk, one, filed.subject)["version"]
    for day in days:
        if filed.report.name in _REACH and day != filed.day:
            reporting.build(desk.settings, [filed.report], day, filed.mode, run)
    now, _ = reporting.render(
        desk.settings, filed.report, filed.day, filed.mode, run, desk.by, desk.clock
    )
    crashpoint.reach("restate.reported")
    return compared(_version(filed.folder, was), now)


def compared(was: Version, now: Version) -> Change:
    """A filed version and the one beside it: names, and the lines of their tables that differ."""
    if was.sha256 == now.sha256:
        return Change(0, _named(was, {}), _named(now, {}))
    tables = sorted(name for name in was.manifest.files.keys() | now.manifest.files.keys()
                    if name.endswith(".csv"))  # fmt: skip
    changes = {name: compare.changed(_lines(was, name), _lines(now, name)) for name in tables}
    others = {name: change for name, change in changes.items() if change.rows}
    return Change(
        sum(change.rows for change in others.values()),
        _named(was, {name: change.before for name, change in others.items()}),
        _named(now, {name: change.after for name, change in others.items()}),
    )


def _named(version: Version, tables: dict[str, Any]) -> dict[str, Any]:
    signed = [name for name in ("maker", "release") if version.sign_off(name)]
    return {
        "version": version.manifest.version, "manifest": version.sha256, "signed": signed,
        "tables": tables,
    }  # fmt: skip


def _lines(version: Version, name: str) -> list[str]:
    path = version.folder / name
    return path.read_text(encoding="utf-8").splitlines()[1:] if path.exists() else []


def _version(folder: Path, number: int) -> Version:
    return next(v for v in package.versions(folder) if v.manifest.version == number)
