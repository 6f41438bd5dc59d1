"""Reports of a home as an office files them: made, signed by two people, the journal sealed.

Later the same office makes them again, and says what became of what was filed.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from audit import signing
from audit.seal import last_day
from cli.main import main
from orchestration import dbt_project
from orchestration.restatement import reports, rows
from orchestration.restatement.work import Desk
from reports import build, catalog, package, version_changes
from reports.package import Version

#: One that is measured against ticks, and one that is not; and what dbt has to build for them.
REPORTS = ("execution-quality", "order-records")
MARTS = tuple(sorted({f"+{mart}" for name in REPORTS for mart in catalog.named(name).marts}))
Lines = dict[str, Counter[str]]
Side = dict[str, Any]  # of a restatement


class Filed(NamedTuple):
    """A report of a day as it was let out: its folder, and the bytes of every file in it."""

    name: str
    day: date
    folder: Path
    content: dict[str, bytes]


class Office:
    """Files reports of one world of a home, whose tickhouse is reached as the caller set it."""

    def __init__(self, desk: Desk, mode: str, vault: Path) -> None:
        self._desk, self._mode = desk, mode
        self._key = vault / "seal.pem"
        self._public = signing.generate(self._key, desk.settings.home_path)

    def file(self, day: date) -> list[Filed]:
        """Every report of the day, from marts that are built: made, signed, released."""
        settings, clock, filed = self._desk.settings, self._desk.clock, []
        for name in REPORTS:
            version, new = self._render(name, day)
            assert new
            build.sign(settings, version, "ann", True, clock)
            build.release(settings, version, "bob", True, "as it is", clock)
            filed.append(Filed(name, day, version.folder, _bytes_of(version.folder)))
        return filed

    def seal(self, days_ago: int) -> None:
        """What was journalled up to the end of a day of the machine's clock, once for each day."""
        day = last_day(self._desk.clock.now_us()) - timedelta(days_ago)
        line = ["audit", "seal", "--date", str(day), "--key", str(self._key)]
        assert main(line) == 0

    def verify(self) -> int:
        """Exit code of `tickhouse audit verify`: journal, warehouse and seals."""
        return main(["audit", "verify", "--public-key", str(self._public)])

    def make_again(self, filed: Filed) -> Version:
        """Its newest version, after it was made once more."""
        version, new = self._render(filed.name, filed.day)
        assert not new, "another version though nothing was corrected since"
        return version

    def _render(self, name: str, day: date) -> tuple[Version, bool]:
        desk = self._desk
        folder = package.folder_of(build.base_of(desk.settings), name, day, self._mode)
        compiled = ("", dbt_project.target(desk.settings) / "compiled")
        return build.build_report(
            settings=desk.settings, client=desk.client, report=catalog.named(name), day=day,
            mode=self._mode, report_folder=folder, built=compiled, clock=desk.clock, by=desk.by,
        )  # fmt: skip

    def restated(self, filed: Filed) -> list[tuple[Side, Side]]:
        """Before and after of the report's restatements that changed it, the first first."""
        subject = reports.Filed(catalog.named(filed.name), filed.day, self._mode, filed.folder)
        listed = [
            (msgspec.json.decode(row.before), msgspec.json.decode(row.after))
            for row in rows.listed(self._desk.client)
            if row.what == "report" and row.subject == subject.subject and row.rows
        ]
        return sorted(listed, key=lambda sides: sides[0]["version"])


def lines_of(folder: Path) -> Lines:
    """How often each line stands in each table of a version; not what changed since the last."""
    tables = (path for path in folder.glob("*.csv") if path.name != version_changes.FILE)
    return {path.name: Counter(path.read_text().splitlines()) for path in tables}


def with_changes(lines: Lines, listed: Sequence[tuple[Side, Side]]) -> Lines:
    """Lines of what was filed, with what the listed restatements took from them and added."""
    now = {name: Counter(counts) for name, counts in lines.items()}
    for before, after in listed:
        for name, side in before["tables"].items():
            assert side["changed"] == len(side["shown"]), "more than are listed one by one"
            now[name] -= Counter(side["shown"])
        for name, side in after["tables"].items():
            now[name] += Counter(side["shown"])
    return now


def is_untouched(filed: Filed) -> bool:
    """Whether every file is what was filed, sign-offs and manifest too."""
    return _bytes_of(filed.folder) == filed.content


def versions_of(filed: Filed) -> list[Version]:
    """Of that report and day, the filed one first."""
    return package.versions(filed.folder.parent)


def _bytes_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}
