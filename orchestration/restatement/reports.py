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
#: What it says of a position, fills say, however long ago: one that a corrected fill leaves open is
#: in the report of every later day, and what is opened after it is another contract.
_OF_POSITIONS = "emir"
_TICKS = """
SELECT toDate(min(ts_event), 'UTC'), toDate(max(ts_event), 'UTC') FROM tick_version FINAL
WHERE correction_id = {correction:String}
    AND ts_event >= {start:DateTime64(6)} AND ts_event < {end:DateTime64(6)}
"""
_Key = tuple[date, str, str]  # day, mode, firm: whose marts are built at once


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

    @property
    def world(self) -> tuple[str, str]:
        """Mode and firm, whose marts of a day are one another's."""
        return self.mode, self.report.firm


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


class Night(NamedTuple):
    """What is built of a day at once, and which filed reports are made again from it."""

    key: _Key
    reports: list[Report]
    due: list[tuple[Concerned, Filed]]


def restate(desk: Desk) -> Outcome:
    """Make every filed report of the corrected days again.

    The marts of a day are built once for all corrections that are due: all are stored by then.

    Raises:
        UnavailableError, WarehouseError: the warehouse does not answer, or refused.
    """
    due = rows.due(desk.client, "report")
    all_concerned = [Concerned(one, *concerned(desk, one), {}, []) for one in due]
    run = f"restatement {' '.join(sorted({one.correction_id for one in due}))}"
    failed: dict[_Key, str] = {}
    for night in planned(all_concerned):
        _of_night(desk, night, run, failed)
    closed = [one for each in all_concerned if (one := _closed(desk, each))]
    return Outcome(closed, [why for each in all_concerned for why in each.problems])


def planned(all_concerned: Sequence[Concerned]) -> list[Night]:
    """Every day once, the oldest first: also corrected days that only later reports look back on.

    They get the marts of those reports, and nothing is made from them again.
    """
    wanted: dict[_Key, dict[str, Report]] = {}
    due: dict[_Key, list[tuple[Concerned, Filed]]] = {}
    for each in all_concerned:
        for filed in each.filed:
            due.setdefault((filed.day, *filed.world), []).append((each, filed))
            for day in (filed.day, *_behind(each, filed)):
                wanted.setdefault((day, *filed.world), {})[filed.report.name] = filed.report
    return [Night(key, list(wanted[key].values()), due.get(key, [])) for key in sorted(wanted)]


def _behind(each: Concerned, filed: Filed) -> list[date]:
    """Corrected days before its own that a report of a longer period is made from."""
    if filed.report.kind not in _REACH:
        return []
    return [day for day in each.days if day < filed.day and _covers(filed, day)]


def _closed(desk: Desk, each: Concerned) -> Restatement | None:
    if each.problems:
        work.note(desk, each.one, each.changes)
        return None
    return work.finish(desk, each.one, each.changes)


def _of_night(desk: Desk, night: Night, run: str, failed: dict[_Key, str]) -> None:
    """Build it and make its reports again; one that cannot be leaves the others to go on."""
    try:
        day, mode, _ = night.key
        reporting.build(desk.settings, night.reports, day, mode, run)
    except TickhouseError as error:
        failed[night.key] = str(error)
    for each, filed in night.due:
        keys = [(day, *filed.world) for day in (filed.day, *_behind(each, filed))]
        try:
            if lacking := [failed[key] for key in keys if key in failed]:
                each.problems.append(f"{filed.subject}: {lacking[0]}")
            else:
                each.changes[filed.subject] = _made_again(desk, each.one, filed, run)
        except TickhouseError as error:
            each.problems.append(f"{filed.subject}: {error}")


def concerned(desk: Desk, one: Restatement) -> tuple[list[date], list[Filed]]:
    """UTC days whose rows a corrected tick may have a part in, and the reports made of them."""
    days = _days(desk.client, one)
    base = report_build.base_of(desk.settings)
    folders = sorted(
        base.glob("????-??-??/*"),
        key=lambda folder: (folder.parent.name, folder.suffix, folder.name),
    )
    all_filed = [filed for folder in folders if (filed := _filed(folder))]
    of_fills = one.symbol == ""
    return days, [filed for filed in all_filed if follows(filed, days, of_fills=of_fills)]


def follows(filed: Filed, days: Sequence[date], *, of_fills: bool) -> bool:
    """Whether a report follows from what was corrected on these days: fills, or ticks."""
    if of_fills and filed.report.kind == _OF_POSITIONS and filed.day > min(days):
        return True
    return any(_covers(filed, day) for day in days)


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
    return filed.day - timedelta(_REACH.get(filed.report.kind, 1)) < day <= filed.day


def _filed(folder: Path) -> Filed | None:
    name, _, mode = folder.name.partition(".")
    report = catalog.get(name)
    if report is None or not any(folder.glob("v[0-9]*")):
        return None
    day = date.fromisoformat(folder.parent.name)
    return Filed(report, day, mode or "live", folder)


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
