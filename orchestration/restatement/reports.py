"""Reports that were made of corrected days, made again beside what was filed.

Only reports that exist are made again: a day of which nobody made one has nothing to restate. What
was filed is never touched; other data give a version of their own, which names the one before
(reports.package), and the same data give none. A version that is damaged or gone, or a day that dbt
cannot build, leaves its report pending, with the reason; the others go on.
"""

from collections.abc import Sequence
from datetime import date, timedelta
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
from reports import catalog, package, version_changes
from reports.base import Report
from reports.package import Version

#: Days that a report looks back over, its own included.
_REACH = {"self-assessment": 366, "execution-quality-quarter": 93, "emir": 6}
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


class Concerned(NamedTuple):
    """A correction, the UTC days and the filed reports that it may change; what became of them."""

    one: Restatement
    days: list[date]
    filed: list[Filed]
    changes: dict[str, Change]
    problems: list[str]


def restate(desk: Desk) -> Outcome:
    """Make every filed report of the corrected days again.

    The marts of a day are built once for all corrections that are due: all are stored by then.

    Raises:
        UnavailableError, WarehouseError: the warehouse does not answer, or refused.
    """
    due = rows.due(desk.client, "report")
    all_concerned = [Concerned(one, *concerned(desk, one), {}, []) for one in due]
    run = f"restatement {' '.join(sorted({one.correction_id for one in due}))}"
    for day, mode in sorted({(f.day, f.mode) for each in all_concerned for f in each.filed}):
        _of_day(desk, all_concerned, day, mode, run)
    closed = [one for each in all_concerned if (one := _closed(desk, each))]
    return Outcome(closed, [why for each in all_concerned for why in each.problems])


def _closed(desk: Desk, each: Concerned) -> Restatement | None:
    if each.problems:
        work.note(desk, each.one, each.changes)
        return None
    return work.finish(desk, each.one, each.changes)


def _of_day(desk: Desk, all_concerned: Sequence[Concerned], day: date, mode: str, run: str) -> None:
    due = [
        (each, filed)
        for each in all_concerned
        for filed in each.filed
        if (filed.day, filed.mode) == (day, mode)
    ]
    try:
        _build(desk, due, day, mode, run)
    except TickhouseError as error:  # other days go on
        for each, filed in due:
            each.problems.append(f"{filed.subject}: {error}")
        return
    for each, filed in due:
        try:
            each.changes[filed.subject] = _made_again(desk, each.one, filed, run)
        except TickhouseError as error:
            each.problems.append(f"{filed.subject}: {error}")


def _build(
    desk: Desk, due: Sequence[tuple[Concerned, Filed]], day: date, mode: str, run: str
) -> None:
    """The marts of a day; before it the corrected days that its longer reports look back on."""
    reports = {filed.report.name: filed.report for _, filed in due}
    reaching = [report for name, report in reports.items() if name in _REACH]
    looked_at = {d for each, filed in due if filed.report in reaching for d in each.days}
    for other in sorted(looked_at - {day}):
        reporting.build(desk.settings, reaching, other, mode, run)
    reporting.build(desk.settings, list(reports.values()), day, mode, run)


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


def _made_again(desk: Desk, one: Restatement, filed: Filed, run: str) -> Change:
    last = package.versions(filed.folder)[-1]
    if damaged := package.changed_files(last):
        names = ", ".join(damaged)
        raise InputError(str(last.folder), f"changed since it was filed: {names}; put it back")
    work.keep(desk, one, {filed.subject: {"version": last.manifest.version}})
    was = work.before(desk, one, filed.subject)["version"]
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
                    if name.endswith(".csv") and name != version_changes.FILE)  # fmt: skip
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
