"""The limits in force: read at start, looked at again while running, never half changed.

`poll` runs beside the order path and replaces one reference, so an order sees one version from
its first check to its last. A file with a mistake changes nothing: the limits before it stay,
also across a restart, because the last good file is kept beside the journal.
"""

import logging
from pathlib import Path

import msgspec

from core import durable
from core.errors import InputError
from execution.risk import limits, run_rules
from execution.risk import overrides as overrides_file
from execution.risk.limits import Limits, LimitsBook, signed
from execution.risk.overrides import Overrides

#: Stands in the version of limits while an override is part of them.
OVERRIDE = " override "
_log = logging.getLogger(__name__)


class Rules:
    """One version of limits with the overrides of them, as one account sees them."""

    def __init__(self, account: str, book: LimitsBook, overrides: Overrides) -> None:
        self._account, self.book, self.overrides = account, book, overrides
        self.version = book.version
        self.own = book.of(account, "")  # of the account, whatever the symbol
        self.firm = book.firm_of(account)  # by name, and None without one
        self.news = book.news_of(account)
        self.client = book.client_of(account)  # "" without one
        self._limits: dict[str, Limits] = {}

    def at(self, symbol: str, now_us: int) -> tuple[Limits, str]:
        """What holds for a symbol at a time, and the version to record with a decision."""
        limits = self._limits.get(symbol)
        if limits is None:
            limits = self._limits[symbol] = self.book.of(self._account, symbol)
        if not self.overrides.overrides:
            return limits, self.version
        active = [o for o in self.overrides.overrides if o.holds(self._account, symbol, now_us)]
        if not active:
            return limits, self.version
        overridden = msgspec.structs.replace(limits, **{o.rule: o.value for o in active})
        return overridden, f"{self.version}{OVERRIDE}{'; '.join(map(str, active))}"

    def released_us(self, strategy: str, symbol: str) -> int:
        """When the throttle of a strategy was last released; 0 for never."""
        return self.overrides.released_us(self._account, strategy, symbol)


class LimitsFile:
    """Limits of one account, from a file when there is one.

    Args:
        home: where `limits.toml` and `decisions.json` are looked for; None: nowhere.
        kept: where the last good file is kept.
        fallback: the limits without a file.

    Raises:
        InputError: the file has a mistake and no good one was kept.
    """

    #: Limits that came into force while running, until the audit trail has them; who signed them,
    #: "" of a file; and whose they are.
    edited: bytes | None = None
    author: str = ""
    home: Path | None = None

    def __init__(
        self, account: str, fallback: LimitsBook, home: Path | None = None, kept: Path | None = None
    ) -> None:
        self._account, self._kept, self.home = account, kept, home
        self._limits = home / "limits.toml" if home else None
        self._overrides = overrides_file.path_in(home) if home else None
        self._signatures: tuple[object, object] = None, None
        self.problem = ""  # of the newest file, "" when it holds
        self.rules = Rules(account, fallback, Overrides())
        if self._limits is not None and self._limits.exists():
            self.rules = Rules(account, self._first(self._limits), Overrides())
        self.poll()
        self.edited = None  # the session has it

    def poll(self) -> bool:
        """Look at both files; True when other rules hold now. Two `stat` when nothing changed."""
        signatures = file_signature(self._limits), file_signature(self._overrides)
        if signatures == self._signatures:
            return False
        before, self._signatures, problems = self.rules, signatures, []
        book, overrides = before.book, Overrides()
        try:
            book = self._read() or book
        except InputError as error:
            problems.append(f"{error}; limits {book.version} stay")
        try:
            overrides = overrides_file.load(self._overrides) if self._overrides else overrides
            _check(overrides)
        except InputError as error:
            overrides = Overrides()
            problems.append(str(error))
        self.problem = "; ".join(problems)
        if self.problem:
            _log.error("%s", self.problem)
        self.rules = Rules(self._account, book, overrides)
        return (book.version, overrides) != (before.version, before.overrides)

    def _first(self, path: Path) -> LimitsBook:
        try:
            return limits.parse(path.read_bytes(), str(path))
        except InputError:
            if self._kept is None or not self._kept.exists():
                raise
            return limits.parse(self._kept.read_bytes(), str(self._kept))

    def _read(self) -> LimitsBook | None:
        """The file as it is now; None without one, which only a restart takes for no limits."""
        if self._limits is None:
            return None
        try:
            content = self._limits.read_bytes()
        except FileNotFoundError:
            if "+" in self.rules.version:
                raise InputError(str(self._limits), "removed while running") from None
            return None
        except OSError as error:
            raise InputError(str(self._limits), str(error)) from error
        book = limits.parse(content, str(self._limits))
        if self._kept is not None and book.version != _version_of(self._kept):
            durable.write(self._kept, content)
        if book.version != self.rules.version:
            self.edited = content
        return book


def _check(overrides: Overrides) -> None:
    for override in overrides.overrides:
        if override.rule not in OVERRIDABLE:
            raise InputError("decisions.json", f"no limit {override.rule!r} can be overridden")


#: Numbers of Limits that a person may change for a while.
OVERRIDABLE = tuple(f.name for f in msgspec.structs.fields(Limits) if f.type is float)


def _version_of(path: Path) -> str:
    try:
        return limits.parse(path.read_bytes(), str(path)).version
    except (OSError, InputError):
        return ""


def file_signature(path: Path | None) -> tuple[int, int, int] | None:
    """What differs once a file was written or replaced; None without one."""
    try:
        status = path.stat() if path else None
    except FileNotFoundError:
        return (0, 0, 0) if path and path.is_symlink() else None
    return (status.st_mtime_ns, status.st_ino, status.st_size) if status else None


def freeze(content: bytes | None, directory: Path, entry: int = 0) -> Path:
    """A replay's own copy of its limits, if it has any: a restart on its way reads the same.

    The run's id holds the hash of them and the number of the signed entry, so one run never meets
    two.
    """
    copy = directory / _COPY
    if content is not None and not copy.exists():
        if entry:
            durable.write(directory / _ENTRY, str(entry).encode())
        durable.write(copy, content)
    return directory


def frozen(account: str, fallback: LimitsBook, directory: Path) -> LimitsFile:
    """The limits of such a copy, named by the signed entry where they are one.

    Raises:
        InputError: the copy has a mistake.
    """
    limits, number = LimitsFile(account, fallback, directory), directory / _ENTRY
    book = limits.rules.book
    if (directory / _COPY).exists() and number.exists():
        book = signed(book, int(number.read_text()))
    firm, client = run_rules.frozen_firm(directory), run_rules.frozen_client(directory)
    book = run_rules.under(book, account, firm, client)
    if book is not limits.rules.book:
        limits.rules = Rules(account, book, limits.rules.overrides)
    return limits


_COPY, _ENTRY = "limits.toml", "limits.entry"
