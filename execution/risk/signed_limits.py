"""The limits of a home whose controls are signed: versions of the chain, never a file.

`limits.toml` and `decisions.json` are still looked at, for one reason: somebody who changed one by
hand expects it to hold, and everybody else must hear that it does not.
"""

import logging
from pathlib import Path
from typing import TypeVar

import msgspec
from msgspec.structs import asdict

from core.controls.entry import sha256
from core.controls.version import Version
from core.controls.watch import WatchedControls
from core.errors import InputError
from execution.risk import limits
from execution.risk import overrides as overrides_file
from execution.risk.direction import SHIPPED, changes
from execution.risk.limits import Limits, LimitsBook
from execution.risk.limits_file import OVERRIDABLE, LimitsFile, Rules, file_signature
from execution.risk.overrides import Override, Overrides, Release

_LOOSER = (
    "the limits of the settings are looser than those that ship, and not signed: those that ship"
    " hold; sign limits: tickhouse limits install"
)
T = TypeVar("T")
_log = logging.getLogger(__name__)


class SignedOverride(Override, frozen=True):
    """An override with the number under which it was signed."""

    number: int = 0

    def __str__(self) -> str:
        return f"{self.rule}={self.value:g} {limits.SIGNED}{self.number} by {self.by}"


class SignedRules(Rules):
    """Rules by a time that never goes back: what ended stays ended when the clock is set back."""

    def __init__(
        self, account: str, book: LimitsBook, overrides: Overrides, watched: WatchedControls
    ) -> None:
        super().__init__(account, book, overrides)
        self._watched = watched

    def at(self, symbol: str, now_us: int) -> tuple[Limits, str]:
        """See Rules."""
        if self.overrides.overrides:
            now_us = max(now_us, self._watched.now_us())
        return super().at(symbol, now_us)


class SignedLimits(LimitsFile):
    """Limits, overrides and releases of one account as they were signed.

    Args:
        fallback: until limits are signed; where they are looser than those that ship, those.
        home: where files are looked at that nobody obeys.

    Raises:
        InputError: the signed limits cannot be read.
    """

    def __init__(
        self, account: str, fallback: LimitsBook, home: Path, watched: WatchedControls
    ) -> None:
        self._account, self._watched, self.home = account, watched, home
        self._files = home / "limits.toml", overrides_file.path_in(home)
        self._stats: tuple[object, ...] = ()
        looser = any(c.direction == "raises" for c in changes(SHIPPED, fallback))
        self._fallback = SHIPPED if looser else fallback
        self._unsigned = _LOOSER if looser else ""
        self.problem = ""
        self.rules: Rules = SignedRules(account, self._book(), self._allowed(), watched)
        self.poll()

    def poll(self) -> bool:
        """Take what was signed since; True when other rules hold. Three `stat` when nothing was."""
        self._watched.poll()
        stats = (self._watched.readings, *map(file_signature, self._files))
        if stats == self._stats:
            return False
        self._stats, before, problems = stats, self.rules, [self._watched.problem]
        book = before.book
        try:
            book = self._book()
        except InputError as error:
            problems.append(f"{error}; limits {book.version} stay")
        if book.version != before.version:
            self._came_into_force()
        self.rules = SignedRules(self._account, book, self._allowed(), self._watched)
        problems += [self._edited_limits(), self._edited_overrides()]
        self._tell("; ".join(filter(None, problems)))
        return (book.version, self.rules.overrides) != (before.version, before.overrides)

    def _came_into_force(self) -> None:
        """While trading: the audit trail is to have their text, and who signed it."""
        version = self._in_force()
        if version is not None:
            self.edited = self._watched.controls.content(version)
            self.author = version.entry.by

    def _tell(self, problem: str) -> None:
        if problem and problem != self.problem:
            _log.error("%s", problem)
        self.problem = problem

    def _in_force(self) -> Version | None:
        return self._watched.controls.version("limits", "", self._watched.now_us())

    def _book(self) -> LimitsBook:
        version = self._in_force()
        if version is None:
            return self._fallback
        name = f"signed limits, entry {version.entry.number}"
        content = self._watched.controls.content(version)
        if content is None:
            raise InputError(name, "their content is gone; put the home's controls/ back")
        return limits.signed(limits.parse(content, name), version.entry.number)

    def _allowed(self) -> Overrides:
        controls, now = self._watched.controls, self._watched.now_us()
        overrides = list[Override]()
        for version in controls.subjects("override", now):
            written = _decoded(controls.content(version), Override)
            if written is not None and written.rule in OVERRIDABLE:
                until = min(written.until_us, version.entry.until_us)
                from_us = max(written.from_us, version.from_us)
                values = asdict(written) | {"from_us": from_us, "until_us": until}
                overrides.append(SignedOverride(**values, number=version.entry.number))
        signed = controls.subjects("release", now)
        releases = (_decoded(controls.content(version), Release) for version in signed)
        return Overrides(overrides, [release for release in releases if release is not None])

    def _edited_limits(self) -> str:
        """What to say of a limits.toml that nobody signed; "" when there is none."""
        path, entries = self._files[0], self._watched.controls.entries
        try:
            digest = sha256(path.read_bytes())
        except FileNotFoundError:
            return self._unsigned if self._in_force() is None else ""
        except OSError as error:
            return f"{path}: {error}; {self.rules.version} hold"
        if any(entry.kind == "limits" and entry.content == digest for entry in entries):
            return ""
        return (
            f"{path} is not signed and not obeyed: limits {self.rules.version} hold; sign it"
            " (tickhouse limits install), or remove it"
        )

    def _edited_overrides(self) -> str:
        path, entries = self._files[1], self._watched.controls.entries
        since = entries[0].ts_us if entries else 0
        try:
            written = overrides_file.load(path)
        except InputError as error:
            return f"{error} (in this home overrides are signed: the file is not obeyed)"
        counts = any(o.until_us > since for o in written.overrides)
        if counts or any(r.ts_us > since for r in written.releases):
            return f"{path} is not signed and not obeyed; remove it, and use tickhouse override"
        return ""


def _decoded(content: bytes | None, kind: type[T]) -> T | None:
    try:
        return msgspec.json.decode(content or b"", type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        _log.error("a signed %s cannot be read, and does not hold: %s", kind.__name__, error)
        return None
