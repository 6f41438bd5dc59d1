"""What the page says of reports: the calendar, one report with its versions, files and rows.

A file is served only when a manifest names it, so a path that leads elsewhere is no file; and only
as it was made, so that what was changed on disk is said and not handed out.
"""

from datetime import UTC, date, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from core.clock import Clock
from core.errors import InputError, SettingsError
from core.settings import Settings
from reports import breaks, build, catalog, deadlines, holidays, package, version_changes
from reports.deadlines import Standing
from reports.package import SignOff, Version
from reports.tables import rows_of

DAYS = 31
_ROWS = 200
_FIRST, _LAST = date(1970, 1, 1), date(2999, 12, 31)
_STEPS = ("maker", "release", "filed")
#: Beside what a manifest names.
_OF_EVERY = ("manifest.json", *(f"{step}.json" for step in _STEPS))
_SUBMITTED = ("submission.csv", "margin_submission.csv")


class Wanted(NamedTuple):
    """A report of a day and world, as an address names it."""

    name: str
    day: date
    mode: str


def wanted(parameters: Any) -> Wanted:
    """From an address or a body.

    Raises:
        SettingsError: the day is none.
    """
    day = str(parameters.get("day", ""))
    try:
        at = datetime.strptime(day, "%Y-%m-%d").replace(tzinfo=UTC).date()
    except ValueError as error:
        raise SettingsError(f"{day[:20]!r} is no day: write 2026-03-02") from error
    if not _FIRST <= at <= _LAST:
        raise SettingsError(f"{at} is no day of any report")
    return Wanted(str(parameters.get("name", "")), at, str(parameters.get("mode", "live")))


class ReportShelf:
    """Reads the report folders of a home. Blocking: disk."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings, self._clock = settings, clock

    def today(self) -> date:
        """UTC."""
        return datetime.fromtimestamp(self._clock.now_us() / 1e6, UTC).date()

    def calendar(self, mode: str, until: str) -> dict[str, Any]:
        """A month of days until one, yesterday when "" is given, and the catalogue."""
        today = self.today()
        last = today - timedelta(days=1)
        if until:
            last = min(last, wanted({"day": until}).day)
        rows = deadlines.standings(self._settings, mode, last, DAYS, today)
        return {
            "today": today, "until": last, "before": last - timedelta(days=DAYS),
            "mode": mode, "modes": deadlines.modes(self._settings), "standings": rows,
            "reports": [
                {"name": one.name, "title": one.title, "every": one.every, "to": one.goes_to}
                for one in catalog.expected(self._settings)
            ],
        }  # fmt: skip

    def report(self, which: Wanted) -> dict[str, Any]:
        """Everything of one report and day; its versions the newest first.

        Raises:
            SettingsError: it was not made.
            InputError: a version is damaged.
        """
        newest = self.newest(which)
        versions = package.versions(newest.folder.parent)
        report = catalog.get(which.name)
        standing: Standing | None = None
        if report:
            authority = holidays.load(self._settings.home_path).authority
            standing = deadlines.standing(
                build.base_of(self._settings), report, which.day, which.mode,
                holidays.due(which.day, authority), self.today(),
            )  # fmt: skip
        return {
            "name": which.name, "day": which.day, "mode": which.mode,
            "title": newest.manifest.title, "subtitle": report.subtitle if report else "",
            "to": report.goes_to if report else "", "standing": standing,
            "versions": [_version(one) for one in reversed(versions)],
            "inputs": newest.manifest.inputs, "changed": package.changed_files(newest),
            "breaks": [_break(one) for one in breaks.breaks(self._settings.home_path, newest)],
            "breaks_file": breaks.file_of(newest), "most_breaks": breaks.MOST,
            "log": [line for one in versions for line in _submissions(one)],
            "beside": _beside(newest.folder.parent, which.mode),
        }  # fmt: skip

    def newest(self, which: Wanted) -> Version:
        """The version that people sign.

        Raises:
            SettingsError: there is none.
        """
        base = build.base_of(self._settings)
        return package.newest(base, which.name, which.day, which.mode)

    def path(self, which: Wanted, version: str, file: str) -> Path:
        """A file of a version, as it was made.

        Raises:
            SettingsError: no such version or file.
            InputError: it is not what the manifest says.
        """
        kept = package.versions(self.newest(which).folder.parent)
        one = next((each for each in kept if str(each.manifest.version) == version), None)
        if one is None or file not in (*one.manifest.files, *_OF_EVERY):
            raise SettingsError("no such version, or it has no such file")
        path = one.folder / file
        if path.is_symlink() or not path.is_file():
            raise SettingsError(f"{file} is not there")
        if file in package.changed_files(one):
            raise InputError(str(path), "was changed since it was made; bring it back")
        return path

    def table(self, which: Wanted, version: str, file: str) -> dict[str, Any]:
        """The first rows of a CSV file of a version."""
        if not file.endswith(".csv"):
            raise SettingsError("only a CSV file has rows")
        rows = list(islice(rows_of(self.path(which, version, file)), _ROWS + 1))
        return {"file": file, "rows": rows[:_ROWS], "more": len(rows) > _ROWS}


def _beside(folder: Path, mode: str) -> list[str]:
    """Other packages of the day that no calendar has: answers, reconciliations, drafts."""
    names = (path.name.partition(".") for path in folder.parent.iterdir() if path.is_dir())
    known = {name for name, _, world in names if (world or "live") == mode}
    apart = {name for name in known if catalog.get(name) is None}
    return sorted(apart - {folder.name.partition(".")[0]})


def _version(version: Version) -> dict[str, Any]:
    """One column of the versions side by side."""
    manifest = version.manifest
    changes = version.folder / version_changes.FILE
    return {
        "version": manifest.version, "sha256": version.sha256, "made_us": manifest.made_us,
        "layout": manifest.layout, "empty": manifest.empty, "breaks": manifest.breaks,
        "files": {
            name: msgspec.to_builtins(facts) for name, facts in sorted(manifest.files.items())
        },
        "restates": manifest.restates, "restated": changes.exists(),
        **{step: _signed(version.sign_off(step)) for step in _STEPS},
    }  # fmt: skip


def _signed(sign_off: SignOff | None) -> dict[str, Any] | None:
    return msgspec.to_builtins(sign_off) if sign_off else None


def _break(one: breaks.Break) -> dict[str, Any]:
    return {
        "id": one.break_id, "row": one.row, "owner": one.owner,
        "resolution": one.work.resolution, "by": one.work.by, "notes": one.work.notes,
    }  # fmt: skip


def _submissions(version: Version) -> list[dict[str, Any]]:
    """What was let out and sent with a version, in order."""
    files = version.manifest.files
    counts = {name: files[name].rows for name in _SUBMITTED if name in files}
    steps = ((step, version.sign_off(step)) for step in _STEPS)
    return [
        {
            "version": version.manifest.version, "step": step, "by": done.by,
            "ts_us": done.ts_us, "said": done.reason, "rows": counts,
        }
        for step, done in steps if done
    ]  # fmt: skip
