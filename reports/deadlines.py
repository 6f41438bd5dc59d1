"""When each report of the catalogue is due, and how far it is: made, signed, released, filed.

A report of a period is due on the working day after its last day (T+1), by the authority's
holidays where the firm has given them. Nothing is expected of days before the first report that
the home ever made.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import msgspec

from core.errors import TickhouseError
from core.settings import Settings
from reports import holidays, package
from reports.base import Every, Report
from reports.build import base_of
from reports.catalog import expected
from reports.package import Version

_QUARTER, _DECEMBER = 3, 12


class Standing(msgspec.Struct, frozen=True):
    """One report of one day. Days UTC; a name is empty while nobody did it."""

    report: str
    day: date
    due: date
    state: str  # missing, made, signed, released, filed or damaged
    late: bool  # it was not released by the end of the day on which it was due
    version: int = 0  # the newest; 0: not made
    errors: int = 0  # its breaks that forbid a release
    warnings: int = 0
    maker: str = ""
    checker: str = ""
    reference: str = ""  # of what was filed
    problem: str = ""  # of a damaged one


class _Release(NamedTuple):
    """What is left of all versions: whether the newest is out, and when the first one was."""

    newest: Version
    first_us: int  # 0: none was


def ends_on(every: Every, day: date) -> bool:
    """Whether a period ends with a day."""
    is_last = (day + timedelta(days=1)).day == 1
    return {
        "day": True,
        "month": is_last,
        "quarter": is_last and day.month % _QUARTER == 0,
        "year": is_last and day.month == _DECEMBER,
    }[every]


def standings(settings: Settings, mode: str, until: date, days: int, today: date) -> list[Standing]:
    """Of each report and day that something is expected of, the newest day first.

    Args:
        until: the last day, UTC.
        days: how many days back from it, that day among them.
        today: what is due before it and not released is late.
    """
    base = base_of(settings)
    first = _first_day(base)
    if first is None or mode not in modes(settings):
        return []
    authority = holidays.load(settings.home_path).authority
    wanted = (until - timedelta(days=back) for back in range(days))
    return [
        standing(base, report, day, mode, holidays.due(day, authority), today)
        for day in wanted
        for report in expected(settings)
        if day >= first and ends_on(report.every, day)
    ]


def standing(base: Path, report: Report, day: date, mode: str, due: date, today: date) -> Standing:
    """How far one report is; a damaged one says so and is not an error here."""
    folder = package.folder_of(base, report.name, day, mode)
    try:
        release = _release(folder)
        if release is None:
            return Standing(report.name, day, due, "missing", today > due)
        return _of_version(release, report.name, day, due, today)
    except TickhouseError as error:
        return Standing(report.name, day, due, "damaged", today > due, problem=str(error))


def modes(settings: Settings) -> list[str]:
    """Worlds that reports were made of; live is always one."""
    suffixes = (folder.name.partition(".")[2] for folder in _folders(base_of(settings)))
    return sorted({"live", *filter(None, suffixes)})


def _of_version(release: _Release, name: str, day: date, due: date, today: date) -> Standing:
    newest, first_us = release
    maker, checker, filed = (newest.sign_off(word) for word in ("maker", "release", "filed"))
    out_on = datetime.fromtimestamp(first_us / 1e6, UTC).date() if first_us else today
    state = "filed" if filed else "released" if checker else "signed" if maker else "made"
    breaks = newest.manifest.breaks
    return Standing(
        report=name,
        day=day,
        due=due,
        state=state,
        late=out_on > due,
        version=newest.manifest.version,
        errors=breaks.get("error", 0),
        warnings=breaks.get("warning", 0),
        maker=maker.by if maker else "",
        checker=checker.by if checker else "",
        reference=filed.reason if filed else "",
    )


def _release(folder: Path) -> _Release | None:
    versions = package.versions(folder) if folder.exists() else []
    if not versions:
        return None
    releases = filter(None, (version.sign_off("release") for version in versions))
    return _Release(versions[-1], min((one.ts_us for one in releases), default=0))


def _first_day(base: Path) -> date | None:
    return min((date.fromisoformat(folder.parent.name) for folder in _folders(base)), default=None)


def _folders(base: Path) -> Iterator[Path]:
    """Folders of reports; a folder whose name is no day is none of ours."""
    for folder in base.glob("????-??-??/*"):
        try:
            date.fromisoformat(folder.parent.name)
        except ValueError:
            continue
        yield folder
