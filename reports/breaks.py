"""Breaks of a report as work: who owns each, and how it was resolved, a chained event a step.

A break is known by its row: the same row of the next version is the same break. Nothing is kept
beside the audit trail. A resolution says what was found; it releases no version that has errors.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Literal

import msgspec

from core import audit_log, identity
from core.audit_log import AuditLine
from core.clock import Clock
from core.contracts.audit import AuditEvent
from core.errors import SettingsError
from core.settings import Settings
from reports import catalog
from reports.package import Version
from reports.tables import rows_of

Step = Literal["assigned", "resolved", "reopened"]
#: More rows than people work through one by one; the rest are in the file.
MOST = 500
_ALONE = ("breaks.csv", "differences.csv")  # of packages that are not in the catalogue


class Work(msgspec.Struct, frozen=True):
    """How far people are with a break."""

    owner: str = ""
    resolution: str = ""  # "" while it is open
    by: str = ""  # who resolved it
    notes: tuple[str, ...] = ()


class Break(msgspec.Struct, frozen=True):
    """A row of a version's breaks, and what became of it."""

    break_id: str
    row: dict[str, str]
    work: Work

    @property
    def owner(self) -> str:
        """Who was given it; until then who the report itself names."""
        return self.work.owner or self.row.get("owner", "")


def file_of(version: Version) -> str:
    """The file with its breaks; "" when it has none."""
    report = catalog.get(version.manifest.report)
    own = [sheet.file for sheet in report.sheets if sheet.mart == report.breaks] if report else []
    return next((name for name in (*own, *_ALONE) if name in version.manifest.files), "")


def breaks(home: Path, version: Version) -> list[Break]:
    """The first `MOST` of a version, in the order of its file.

    Raises:
        InputError: the audit log is damaged.
    """
    known = fold(audit_log.read(audit_log.path_in(home)))
    return [Break(key, row, known.get(key, Work())) for key, row in islice(_rows(version), MOST)]


def named(home: Path, version: Version, begins: str) -> Break:
    """One break of a version.

    Raises:
        SettingsError: there is none whose id begins so, or several.
    """
    matching = [one for one in breaks(home, version) if begins and one.break_id.startswith(begins)]
    if len(matching) != 1:
        manifest = version.manifest
        raise SettingsError(
            f"{len(matching)} breaks begin with {begins[:40]!r}: tickhouse report breaks"
            f" {manifest.report} --date {manifest.day}"
        )
    return matching[0]


def step(
    settings: Settings, version: Version, one: Break, what: Step, by: str, known: bool,
    clock: Clock, *, owner: str = "", reason: str = "",
) -> None:  # fmt: skip
    """Note what a person did about a break; on disk when this returns.

    Raises:
        SettingsError: not now, not by them, or without what it needs.
    """
    if problem := _problem(settings.home_path, one, what, known, owner, reason):
        raise SettingsError(f"break {one.break_id}: {problem}")
    manifest = version.manifest
    payload = {"report": manifest.report, "day": str(manifest.day), "version": manifest.version}
    if what == "assigned":
        payload["owner"] = owner
    line = AuditLine(
        ts_us=clock.now_us(), by=by, authenticated=known, action=f"break {what}",
        detail=f"{manifest.report} {manifest.day}: {one.row.get('rule_id', '')}".strip(": "),
        subject=one.break_id, reason=reason, payload=payload,
    )  # fmt: skip
    audit_log.append(settings.home_path, line, mode=manifest.mode)


def fold(events: Iterable[AuditEvent]) -> dict[str, Work]:
    """What events say, by break."""
    known = dict[str, Work]()
    for event in events:
        word, _, what = event.action.partition(" ")
        if word == "break":
            known[event.subject] = _after(known.get(event.subject, Work()), what, event)
    return known


def _after(work: Work, what: str, event: AuditEvent) -> Work:
    owner, said = work.owner, event.reason
    if what == "assigned":
        owner = str(msgspec.json.decode(event.detail)["owner"])
        said = f"to {owner}" + (f", {event.reason}" if event.reason else "")
    done = what == "resolved"
    notes = (*work.notes, f"{event.actor}, {what}: {said}")
    return Work(owner, event.reason if done else "", event.actor if done else "", notes)


def _problem(home: Path, one: Break, what: Step, known: bool, owner: str, reason: str) -> str:
    if not known:
        return "only a person with a password works on it: tickhouse users add NAME"
    if what == "reopened":
        return "" if one.work.resolution and reason else "only a resolved one, with --reason"
    if one.work.resolution:
        return f"was resolved by {one.work.by}: reopen it first"
    if what == "assigned":
        return _owner_problem(home, one, owner)
    return "" if reason.strip() else "--reason TEXT is missing: what it was, and what was done"


def _owner_problem(home: Path, one: Break, owner: str) -> str:
    path = identity.path_in(home)
    user = identity.load(path).get(owner) if identity.exists(path) else None
    if user is None or user.role not in identity.MAY_COMPLY:
        return f"{owner[:64]!r} is no user with a role of {', '.join(identity.MAY_COMPLY)}"
    return f"is {owner}'s already" if one.work.owner == owner else ""


def _rows(version: Version) -> Iterator[tuple[str, dict[str, str]]]:
    name = file_of(version)
    if not name:
        return
    manifest = version.manifest
    place = (manifest.report, str(manifest.day), manifest.mode)
    alike = Counter[bytes]()
    for row in rows_of(version.folder / name):
        text = msgspec.json.encode([*place, sorted(row.items())])
        alike[text] += 1
        yield hashlib.sha256(text + b"#%d" % alike[text]).hexdigest()[:12], row
