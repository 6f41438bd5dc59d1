"""The pack: reports that are new since the last one, as one e-mail with their PDFs.

A version goes out once. Before the mail server is spoken to, each version's folder gets
`mailing.json`, and `mailed.json` when the server has taken the mail. What stands between the two
after a process was killed may have gone out or not: it is sent again only when a person says so.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import NamedTuple

from adapters import alerts
from core.clock import Clock
from core.errors import InputError, SettingsError, UnavailableError
from core.file_lock import locked
from core.settings import Settings
from reports import catalog, package
from reports.build import base_of
from reports.package import SignOff, Version

DAYS = 7  # how far back a version that was not sent is looked for
LARGEST = 15_000_000  # bytes of attachments; of what does not fit the mail says where it is
_BEGUN, _DONE = "mailing", "mailed"


class Pack(NamedTuple):
    """What is to be sent, and what may have been sent already."""

    new: list[Version]
    doubtful: list[Version]


class Outcome(NamedTuple):
    """What went out, and what nobody knows of."""

    versions: list[Version]
    doubtful: list[Version]

    @property
    def doubt(self) -> str:
        """For a person; "" without any."""
        folders = ", ".join(str(version.folder) for version in self.doubtful)
        return folders and (
            f"sending was cut off, so these went out or did not: {folders}; look in the mailbox,"
            " then tickhouse report mail --again"
        )


def pack(base: Path, until: date, mode: str) -> Pack:
    """Newest versions of the days up to one (UTC) that were not sent.

    Raises:
        InputError: a version or its note is damaged.
    """
    new, doubtful = list[Version](), list[Version]()
    for version in _newest(base, until, mode):
        if version.sign_off(_DONE) is None:
            (doubtful if version.sign_off(_BEGUN) else new).append(version)
    return Pack(new, doubtful)


def send(
    settings: Settings, until: date, mode: str, clock: Clock, *, again: bool = False
) -> Outcome:
    """One mail with what is new; none when nothing is.

    Args:
        again: also what may have gone out already.

    Raises:
        SettingsError: nobody is set to get it, or no mail server.
        UnavailableError: the server did not take it; nothing is noted, and it may be sent again.
        InputError: a version is damaged, or was changed since it was made.
    """
    if not settings.reports.mail_to:
        raise SettingsError("reports.mail_to is empty: set TICKHOUSE_REPORTS__MAIL_TO")
    base = base_of(settings)
    base.mkdir(parents=True, exist_ok=True)
    with locked(base / ".mail.lock", timeout_s=60):
        waiting = pack(base, until, mode)
        due = [*waiting.new, *(waiting.doubtful if again else ())]
        if due:
            _send(settings, due, clock)
        return Outcome(due, [] if again else waiting.doubtful)


def _send(settings: Settings, due: Sequence[Version], clock: Clock) -> None:
    _refuse_changed(due)
    attached, apart = _attachments(due)
    title = f"Tickhouse: {len(due)} reports up to {max(v.manifest.day for v in due)}"
    for version in due:
        _note(version, _BEGUN, settings.reports.mail_to, clock)
    text = "\n".join([*map(_line, due), *(f"Not attached, too large: {path}" for path in apart)])
    taken = False
    try:
        taken = alerts.mail(settings.alerts, settings.reports.mail_to, title, text, attached)
    finally:
        if not taken:  # the server said no, or was never spoken to
            for version in due:
                (version.folder / f"{_BEGUN}.json").unlink()
    if not taken:
        raise UnavailableError(
            "the mail server did not take the reports; check alerts.smtp*, then tickhouse report"
            " mail; Dagster tries again by itself"
        )
    for version in due:
        _note(version, _DONE, settings.reports.mail_to, clock)


def _refuse_changed(due: Sequence[Version]) -> None:
    for version in due:
        if names := package.changed_files(version):
            problem = f"changed since it was made: {', '.join(names)}; bring it back"
            raise InputError(str(version.folder), problem)


def _note(version: Version, name: str, to: str, clock: Clock) -> None:
    path = version.folder / f"{name}.json"
    path.unlink(missing_ok=True)  # of a sending that was cut off
    package.record_sign_off(version, name, SignOff(to, False, clock.now_us(), version.sha256))


def _attachments(due: Sequence[Version]) -> tuple[list[Path], list[Path]]:
    attached, apart, total = list[Path](), list[Path](), 0
    for version in due:
        for name, facts in version.manifest.files.items():
            if not name.endswith(".pdf"):
                continue
            fits = total + facts.bytes <= LARGEST
            (attached if fits else apart).append(version.folder / name)
            total += facts.bytes if fits else 0
    return attached, apart


def _line(version: Version) -> str:
    manifest = version.manifest
    breaks = ", ".join(f"{count} {severity}" for severity, count in manifest.breaks.items())
    return (
        f"{manifest.day} {manifest.report} v{manifest.version}"
        f"{', restated' if manifest.restates else ''}{', empty' if manifest.empty else ''}"
        f": breaks: {breaks or 'none'}; manifest {version.sha256[:16]}"
    )


def _newest(base: Path, until: date, mode: str) -> list[Version]:
    listed = []
    for back in range(DAYS):
        day = until - timedelta(days=back)
        for folder in sorted((base / str(day)).glob("*")):
            name, _, world = folder.name.partition(".")
            if catalog.get(name) and (world or "live") == mode and any(folder.glob("v[0-9]*")):
                listed.append(package.newest(base, name, day, mode))
    return listed
