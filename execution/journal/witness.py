"""How far the journal went, kept in another place: a shortened or emptied one is refused.

A journal cut at a record's end is a whole journal of an earlier time: nothing in it says that it
went on. `<home>/witness/journal.<account>.json`, beside the audit log, says where the last record
that was on disk ended, and its digest. A thread of its own writes it after the sync, at most every
few seconds: it costs the order path nothing, may lag behind the journal, and never leads it.
"""

import hashlib
import logging
import os
import threading
from pathlib import Path
from typing import Protocol

import msgspec

from core import checked_json
from core.credentials import write_private
from core.errors import JournalError
from execution.journal.frames import Extent

_EVERY_S = 5.0
_log = logging.getLogger(__name__)


class Witnessed(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One extent of a journal that was on disk."""

    end: int  # bytes
    records: int
    digest: str  # of the last record
    snapshot: str = ""  # digest of the newest one (execution.journal.snapshot)

    @classmethod
    def of(cls, extent: Extent, snapshot: str = "") -> "Witnessed | None":
        """Of a journal's extent; None of an empty one."""
        if not extent.end:
            return None
        return cls(extent.end, extent.number, _digest(extent.payload), snapshot)

    def is_of(self, payload: bytes) -> bool:
        """Whether the record that ends there is the witnessed one."""
        return _digest(payload) == self.digest


def path_in(home: Path, account: str) -> Path:
    """Where the witness of an account's journal stands."""
    return home / "witness" / f"journal.{account}.json"


def read(path: Path) -> Witnessed | None:
    """What was witnessed; None when nothing ever was.

    Raises:
        JournalError: the file is not as it was written.
    """
    if not os.path.lexists(path):
        return None
    try:
        return checked_json.read(path, Witnessed)
    except (OSError, msgspec.DecodeError) as error:
        raise JournalError(
            f"{path}: {error}; it says how far the journal of this account went, and is not as it"
            f" was written. {_REMEDY}"
        ) from error


def write(path: Path, extent: Extent, snapshot: str = "") -> None:
    """Put an extent there as a whole; of an empty journal nothing is left.

    Raises:
        OSError: the disk takes nothing.
    """
    witnessed = Witnessed.of(extent, snapshot)
    if witnessed is None:
        path.unlink(missing_ok=True)
        return
    path.parent.mkdir(mode=0o700, exist_ok=True)
    write_private(path, checked_json.encode(witnessed).decode())


def refusal(journal: Path, end: int, number: int, witnessed: Witnessed) -> JournalError:
    """The error of a journal that lacks what was witnessed."""
    return JournalError(
        f"{journal} ends at byte {end} with record {number}, and its witness saw record"
        f" {witnessed.records} end at byte {witnessed.end}: the file was shortened, emptied or"
        f" replaced. Nothing was sent or changed. {_REMEDY}"
    )


class Synced(Protocol):
    """What a witness reads of a journal."""

    @property
    def synced(self) -> Extent:
        """How far it is on disk; replaced as a whole."""


class Witness:
    """Writes from `start` to `close` how far a journal is on disk.

    Attributes:
        snapshot: digest of the journal's newest snapshot; written with the next extent.
    """

    def __init__(self, journal: Synced, path: Path, every_s: float = _EVERY_S) -> None:
        self._journal, self._path, self._every_s = journal, path, every_s
        self._written: tuple[Extent, str] | None = None
        self.snapshot = ""
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="witness", daemon=True)

    def start(self) -> None:
        """Begin with what was found at opening."""
        self._thread.start()

    def close(self) -> None:
        """Write the last word; after the journal was closed."""
        self._closing.set()
        self._thread.join()
        self.tell()

    def _keep(self) -> None:
        self.tell()
        while not self._closing.wait(self._every_s):
            self.tell()

    def tell(self) -> bool:
        """Write what is new; False when the disk takes nothing."""
        with self._lock:
            extent, snapshot = self._journal.synced, self.snapshot
            if (extent, snapshot) == self._written or not extent.end:
                return True
            try:
                write(self._path, extent, snapshot)
            except OSError as error:
                _log.warning("%s is behind its journal: %s", self._path, error)
                return False
            self._written = extent, snapshot
            return True


def _digest(payload: bytes) -> str:
    return hashlib.blake2b(payload, digest_size=16).hexdigest()


_REMEDY = (
    "Restore the journal from a backup; or compare the terminal's history with order_event, settle"
    " what is open, and accept the journal as it is: tickhouse audit accept --by WHO --reason TEXT"
)
