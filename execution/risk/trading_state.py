"""Active, reducing or halted: a person's command, a breaker's, and the stricter of the two.

A person's is `<home>/control.json`: it works with bus and warehouse down, `tickhouse halt` writes
it whole and synced, live execution polls it every few milliseconds. A breaker's is a file of its
own beside the journal, so that no breaker ever overwrites a person's command; it holds until a
person resumes later than it tripped. Both survive a restart. A file that cannot be read halts:
doubt stops trading.

Where controls are signed, a file can stop trading and only a signed resume starts it again: a
command that is less strict counts when it was signed, and what stopped is also kept outside the
home, so that removing the file starts nothing.
"""

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import msgspec
from msgspec.structs import replace

from core import checked_json
from core.contracts.operations import Control
from core.trading_control import ControlCommand, State, write

_log = logging.getLogger(__name__)
_RECENT_S = 0.02  # the control thread polls twice as often
_SEVERITY = {"active": 0, "reducing": 1, "halted": 2}


class SignedResumes(Protocol):
    """What lifts a halt where controls are signed, and where a halt is kept outside the home."""

    @property
    def kept(self) -> Path:
        """The last command that counted."""
        ...

    def signed(self, order: ControlCommand) -> bool:
        """Whether people signed to resume exactly so."""
        ...

    def keep(self, order: ControlCommand) -> None:
        """Remember a command that counts, as well as it goes."""
        ...


ACTIVE = ControlCommand("active", "", "nobody halted", 0)


class TradingState:
    """What holds now. All but reading `state` may be called from any thread.

    Args:
        path: the control file; None in a replay, which nobody halts.
        breakers: the breakers' file; None when they need not survive a restart.
        signed: where controls are signed, who knows what lifts a halt.
    """

    def __init__(
        self, path: Path | None, breakers: Path | None = None, signed: SignedResumes | None = None
    ) -> None:
        self._path, self._breakers, self._signed = path, breakers, signed
        self.problem = ""  # of a command that does not count, "" when it does
        self._lock = threading.Lock()
        self._unwritten = 0  # commands that hold already and are being written down
        self._signature: tuple[int, int, int] | None = None
        self._polled_s = 0.0
        self._ordered = _read(signed.kept) if signed else ACTIVE  # by a person
        self._tripped = ACTIVE if breakers is None else _read(breakers)
        self._beneath = ACTIVE  # of other breakers: what holds when that one is taken back
        self.current = ACTIVE
        self._settle()
        self.poll()

    @property
    def state(self) -> State:
        """The state that checks read."""
        return self.current.state

    @property
    def is_written(self) -> bool:
        """Whether what holds survives a kill: told before, a halt could be forgotten after it."""
        return not self._unwritten

    def poll(self) -> bool:
        """Read the file; True when the state has changed. Costs one `stat` when it has not."""
        if self._path is None:
            return False
        with self._lock:
            self._polled_s = time.monotonic()
            signature = _signature(self._path)
            if signature == self._signature:
                return False
            self._signature, order = signature, _read(self._path)
            if self._signed is not None:
                order = self._counting(order, self._signed)
            self._ordered = order
            return self._settle()

    def _counting(self, order: ControlCommand, signed: SignedResumes) -> ControlCommand:
        """The file's command; the one before, where it would start what nobody signed to start."""
        before = self._ordered
        self.problem = _unsigned(self._path, order, before, signed)
        if self.problem or (_starts(order, before) and not _is_news(order, before)):
            return before
        signed.keep(order)
        return order

    def catch_up(self) -> None:
        """Read the file unless somebody just did: this process may have been stopped since."""
        if time.monotonic() - self._polled_s > _RECENT_S:
            self.poll()

    def obey(self, control: Control) -> bool:
        """Take a message from the bus into the file, unless the file is newer.

        Only a halt: whoever lifts one proves who they are, and a message cannot.
        """
        if control.kind != "halt" or control.ts_event_us < self._ordered.ts_us:
            return False
        order = ControlCommand("halted", control.by, control.reason, control.ts_event_us)
        try:
            return self.halt(order)
        except OSError as error:  # who sent the message has gone
            _log.error("halted, and the control file cannot be written: %s", error)
            return True

    def halt(self, order: ControlCommand) -> bool:
        """Take a person's halt that came another way.

        Raises:
            OSError: it cannot be written, and holds until this process ends.
        """
        if self._path is None:
            return False
        with self._writing():
            with self._lock:
                self._ordered = order
                changed = self._settle()
            write(self._path, order)
        return self.poll() or changed

    def trip(self, order: ControlCommand) -> bool:
        """Take a breaker's command, unless a breaker's stricter one holds; True when it changes.

        An order that says active takes back a breaker's earlier one of the same name. Our clock may
        have been set back since a person resumed: a breaker's command is later all the same.
        """
        with self._writing():
            return self._trip(order)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        with self._lock:
            self._unwritten += 1
        try:
            yield
        finally:
            with self._lock:
                self._unwritten -= 1

    def _trip(self, order: ControlCommand) -> bool:
        with self._lock:
            before = self._held()
            if order.state != "active" and order.ts_us <= self._ordered.ts_us:
                order = replace(order, ts_us=self._ordered.ts_us + 1)
            if order.state == "active" and before.by != order.by:
                return False
            if order.state != "active" and _strictness(before) >= _strictness(order):
                self._lay_beneath(order, before)
                return False
            if order.state == "active":
                order, self._beneath = self._beneath, ACTIVE
            else:
                self._lay_beneath(before, order)
            self._tripped = order
            changed = self._settle()
        self._keep(order)
        return changed

    def _lay_beneath(self, order: ControlCommand, above: ControlCommand) -> None:
        """Keep a breaker's command for when another's, which holds now, is taken back."""
        if order.by != above.by and _severity(order) >= _severity(self._beneath):
            self._beneath = order

    def lifted(self, name: str) -> ControlCommand | None:
        """The person's command that lifted a breaker's of that name; None when there is none."""
        return self._ordered if self._tripped.by == name and self._held() is ACTIVE else None

    def forget(self, name: str) -> None:
        """A breaker's command that a person lifted is dealt with."""
        with self._lock:
            if self._tripped.by != name:
                return
            self._tripped = ACTIVE
            self._settle()
        self._keep(ACTIVE)

    def _keep(self, tripped: ControlCommand) -> None:
        """Write the breakers' command down; on a full disk it holds until this process ends."""
        if self._breakers is None:
            return
        try:
            write(self._breakers, tripped)
        except OSError as error:
            _log.error("%s by %s holds, and cannot be kept: %s", tripped.state, tripped.by, error)

    def _held(self) -> ControlCommand:
        """The breakers' command, void once a person has resumed after it."""
        resumed = self._ordered.state == "active" and self._ordered.ts_us >= self._tripped.ts_us > 0
        return ACTIVE if resumed else self._tripped

    def _settle(self) -> bool:
        before, held = self.current, self._held()
        strictest = _strictness(held) > _strictness(self._ordered)
        self.current = held if strictest else self._ordered
        return self.current != before


def unsigned(path: Path, signed: SignedResumes) -> str:
    """What to say of a control file that would start what nobody signed to start; or ""."""
    return _unsigned(path, _read(path), _read(signed.kept), signed)


def _unsigned(
    path: Path | None, order: ControlCommand, before: ControlCommand, signed: SignedResumes
) -> str:
    if not (_starts(order, before) and _is_news(order, before)):
        return ""
    if order.ts_us > before.ts_us and signed.signed(order):
        return ""
    return f"{path} says {order.state}, which nobody signed; not obeyed"


def _starts(order: ControlCommand, before: ControlCommand) -> bool:
    return order.state == "active" or _severity(order) < _severity(before)


def _is_news(order: ControlCommand, before: ControlCommand) -> bool:
    return order != before and bool(order.ts_us or _severity(before))


def _severity(order: ControlCommand) -> int:
    return _SEVERITY[order.state]


def _strictness(order: ControlCommand) -> tuple[int, bool]:
    """A halt that closes positions as well is stricter than one that keeps them."""
    return _severity(order), order.state == "halted" and order.positions == "flatten"


def _signature(path: Path) -> tuple[int, int, int] | None:
    try:
        status = path.lstat()  # a link in its place is seen, wherever it leads
    except FileNotFoundError:
        return None
    return status.st_mtime_ns, status.st_ino, status.st_size


def _read(path: Path) -> ControlCommand:
    try:
        return checked_json.read(path, ControlCommand)
    except FileNotFoundError:
        return ACTIVE
    except (OSError, msgspec.DecodeError) as error:
        signature = _signature(path)  # a resume later than the damage lifts it
        since_us = signature[0] // 1000 if signature else 0
        return ControlCommand("halted", "execution", f"{path} cannot be read: {error}", since_us)
