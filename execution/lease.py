"""One execution per account: the lease, its number, and what happens when it is lost.

The lease is a record on the bus that its holder replaces every two seconds. Whoever comes waits
until the record has not changed for ten by his own clock, and only then takes it, with a number
higher than any before; two who try at once are told apart by the bus. No clock of another
machine is believed. The number is journalled, and claimed at the terminal, which takes no orders
under an older one (`adapters.mt5.fence`): so a holder that was stopped for a minute, or that the
bus cut off, may believe what it likes.

While the bus is away the holder trades on, as it always did. It ends, halted until a person
resumes, when it sees another's record or the terminal refuses its number.

The holder is the journal itself, by host and inode: its file is locked, so there is one process
behind it; a restarted one takes its own lease back at once, and a copied home is another holder.
How a bus keeps the record so that of two who replace it one is told: `adapters.bus.*.lease`.
"""

import logging
import platform
import re
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from adapters.bus.lease import ChangedError, LeasePlace, Written
from adapters.mt5.fence import FENCED
from adapters.mt5.venue.venue import Account
from core.clock import Timer
from core.contracts.order import OrderEvent
from core.errors import BusyError, UnavailableError
from core.file_lock import locked
from execution import machine_lock

_log = logging.getLogger(__name__)
_RENEW_S = 2.0
_LASTS_S = 10.0  # unchanged for so long, a lease is free
_PATIENCE_S = 60.0  # for a bus that is away at start, as everywhere


class Held(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The record. `held` is False once its holder has left."""

    holder: str
    number: int
    held: bool = True


def holder_of(journal: Path) -> str:
    """Who holds a lease with this journal."""
    status = journal.stat()
    return f"{platform.node()}/{uuid.getnode():x}/{status.st_dev:x}/{status.st_ino:x}"


class Lease:
    """The right to trade an account, from `take` to `close`.

    Args:
        place: on the bus.
        account: for messages.
        holder: see `holder_of`.
        timer: None: the machine's, and a wait for another's lease ends with `close`.
    """

    def __init__(
        self, place: LeasePlace, account: str, holder: str,
        renew_s: float = _RENEW_S, lasts_s: float = _LASTS_S, timer: Timer | None = None,
    ) -> None:  # fmt: skip
        self._place, self._account, self.holder = place, account, holder
        self._renew_s, self._lasts_s = renew_s, lasts_s
        self.number = 0
        self.taken_over = False  # another journal traded this account before us
        self.problem = ""  # why it is lost
        self._sequence = 0
        self._closing = threading.Event()
        self._seconds = timer.seconds if timer else time.monotonic
        self._sleep: Callable[[float], object] = timer.sleep if timer else self._closing.wait
        self._thread = threading.Thread(target=self._keep, name="lease", daemon=True)

    def take(self, journalled: int) -> int:
        """Become the holder, and stay it until `close`; the number. See `acquire`."""
        number = self.acquire(journalled)
        self._thread.start()
        return number

    def acquire(self, journalled: int) -> int:
        """Become the holder, for as long as somebody calls `renew` often enough; the number.

        Args:
            journalled: the highest number that the journal holds.

        Raises:
            BusyError: another execution is alive.
            UnavailableError: the bus stays away.
        """
        self.number = journalled + 1
        while not self._sequence:
            written = self._free(self._place)
            record = _decoded(written)
            self.number = max(journalled, record.number if record else 0) + 1
            # Also one of our own that we were killed before we had journalled.
            self.taken_over = record is not None and (
                record.holder != self.holder or record.number > journalled
            )
            try:
                known = written.sequence if written else 0
                self._sequence = self._place.replace(self._record(), known, _PATIENCE_S)
            except ChangedError:
                _log.info("account %s: another was quicker", self._account)
        return self.number

    def observe(self, event: OrderEvent) -> None:
        """Notice that the terminal takes no more orders of ours."""
        if FENCED in event.reason:
            self.problem = event.reason

    def check(self) -> None:
        """Whether it is still ours, as far as anybody knows.

        Raises:
            BusyError: it is not.
        """
        if self.problem:
            raise BusyError(
                f"account {self._account}: {self.problem}. This execution sends nothing any more;"
                " end one of the two, look at the account, then `tickhouse resume`"
            )

    def close(self) -> None:
        """Leave: whoever comes next need not wait."""
        self._closing.set()
        if self._thread.is_alive():
            self._thread.join(self._lasts_s)
        try:
            if self._sequence and not self.problem:
                self._place.replace(self._record(held=False), self._sequence, self._renew_s)
        except (ChangedError, UnavailableError) as error:
            _log.info("the lease of %s was not given back: %s", self._account, error)
        finally:
            self._place.close()

    def _free(self, place: LeasePlace) -> Written | None:
        """The record as it is, once nobody else keeps it."""
        written = place.read(_PATIENCE_S)
        record, since = _decoded(written), self._seconds()
        while written and record and record.held and record.holder != self.holder:
            left_s = since + self._lasts_s - self._seconds()
            if left_s <= 0:
                return written
            self._sleep(min(left_s, self._renew_s / 4))
            if place.read(_PATIENCE_S) != written:
                raise BusyError(
                    f"another execution trades account {self._account} on this bus"
                    f" ({record.holder}, number {record.number}): end it, or trade another account"
                    " (TICKHOUSE_RUN__ACCOUNT)"
                )
        return written

    def _keep(self) -> None:
        while not self._closing.wait(self._renew_s) and not self.problem:
            self.renew()

    def renew(self) -> None:
        """Show that we are alive; notice that another took over."""
        try:
            self._renew(self._place)
        except UnavailableError as error:
            _log.debug("%s", error)  # we trade on; the terminal knows if another took over

    def _renew(self, place: LeasePlace) -> None:
        try:
            self._sequence = place.replace(self._record(), self._sequence, self._renew_s)
        except ChangedError:
            written = place.read(self._renew_s)
            record = _decoded(written)
            if record is not None and record != Held(self.holder, self.number):
                self.problem = f"another execution took it ({record.holder}, {record.number})"
            else:  # our own, whose answer was lost; or a bus that lost all it had
                self._sequence = written.sequence if written else 0

    def _record(self, *, held: bool = True) -> bytes:
        return msgspec.json.encode(Held(self.holder, self.number, held))


@contextmanager
def locked_account(account: Account, directory: Path | None = None) -> Iterator[None]:
    """Be the only one on this machine that trades an account of a terminal in this process.

    Also a lock in this user's home: it holds where a home is shared and names of a machine are not.

    Raises:
        BusyError: another does.
    """
    name = re.sub(r"[^A-Za-z0-9_-]", "_", f"{account.server}.{account.login}")
    lock = (directory or Path.home() / ".tickhouse-accounts") / f"{name}.lock"
    try:
        with machine_lock.held(f"account {name}"), locked(lock, 0.0):
            yield
    except machine_lock.TakenError as error:
        raise BusyError(
            f"account {account.login} at {account.server}: another execution on this machine trades"
            " it, perhaps another user's; end it"
        ) from error


def _decoded(written: Written | None) -> Held | None:
    return msgspec.json.decode(written.payload, type=Held) if written else None
