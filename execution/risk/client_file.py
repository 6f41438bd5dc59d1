"""Whether the client for whom an account trades may open anything: only with a file in order.

`accounts.<account>.client` of the limits names the client by pseudonym; what their file holds is
`core.client_files`, kept in memory here. Not in order, unknown or not checked for too long: entries
are denied, and exits pass. Identifying a client before and while dealing for them: Directive (EU)
2015/849, articles 13(1) and 14(4).
"""

import logging
from pathlib import Path

from core.client_files import ClientFile, ClientFiles, load
from core.contracts.order import DenialReason
from core.errors import InputError
from execution.risk.checks import Denial
from execution.risk.limits_file import file_signature

_AHEAD_US = 5_000_000  # a check dated later than our clock by more: one of both clocks is wrong
_HOUR_US = 3_600_000_000
_log = logging.getLogger(__name__)


class ClientRule:
    """What clients' files say of entries, at a moment.

    Args:
        path: the published file; None: there is none.
        frozen: a run's own copy. It does not grow old, for market time is not the check's; and
            before somebody was a client, it says nothing of them.
    """

    def __init__(self, path: Path | None, *, frozen: bool = False) -> None:
        self._path, self._frozen = path, frozen
        self._signature: object = ()
        self._files: ClientFiles | None = None
        self._logged: tuple[str, ...] = ()
        self.problem = ""  # of the file, "" when it holds
        self.poll()

    def poll(self) -> None:
        """Look at the file; one `stat` when it has not changed. A damaged one says nothing."""
        if self._path is None or (now := file_signature(self._path)) == self._signature:
            return
        self._signature = now
        try:  # one reference is replaced: who decides beside this sees the old or the new
            self._files, self.problem = load(self._path), ""
        except InputError as error:
            self._files, self.problem = None, f"{error}; entries for clients are denied"
            _log.error("%s", self.problem)

    def denial(self, client: str, now_us: int) -> Denial | None:
        """Why nothing may be opened for a client; None without one (""), or with a file in order.

        Limit and observed: hours that a check counts, and its age; or documents that are needed,
        and those that are there.
        """
        if not client:
            return None
        files = self._files
        if files is None:
            return Denial(DenialReason.STALE_CLIENT_FILE, 0.0, 0.0)
        if not self._frozen and not -_AHEAD_US <= now_us - files.checked_us <= _counts_us(files):
            age = (now_us - files.checked_us) / _HOUR_US
            return Denial(DenialReason.STALE_CLIENT_FILE, _counts_us(files) / _HOUR_US, age)
        return self._of(files.of(client), now_us)

    def next_denied_us(self, client: str, now_us: int, end_us: int) -> int | None:
        """When it next lets nothing open, up to a time; None: not before it."""
        file = self._files.of(client) if client and self._files else None
        moments = {now_us, *((file.since_us, *file.ends()) if file else ())}
        coming = sorted(at for at in moments if now_us <= at <= end_us)
        return next((at for at in coming if self.denial(client, at)), None)

    def _of(self, file: ClientFile | None, now_us: int) -> Denial | None:
        if file is None:
            self._tell(("no file",))
            return Denial(DenialReason.CLIENT_FILE, 1.0, 0.0)
        if self._frozen and now_us < file.since_us:
            return None
        lacking = file.lacking(now_us)
        self._tell((file.client, *lacking) if lacking else ())
        if not lacking and file.needs:
            return None
        many = len(file.needs)
        return Denial(DenialReason.CLIENT_FILE, float(many or 1), float(many - len(lacking)))

    def _tell(self, lacking: tuple[str, ...]) -> None:
        """Log what lacks when that changes, not at each order."""
        if lacking and lacking != self._logged:
            _log.warning("the client's file is not in order: %s", ", ".join(lacking))
        self._logged = lacking


def _counts_us(files: ClientFiles) -> int:
    return files.counts_until_us - files.checked_us
