"""Limits that came into force while trading are told to the audit trail: edited or signed ones.

Rows name the version alone; whoever reads them later asks view `limits_book` for the text, and the
next start may be weeks away. The trail is a file of the home, which others carry to the warehouse:
execution itself never speaks to it. Whoever appends waits for that file's lock, so a thread of its
own does: limits, halts and orders wait for nobody.
"""

import logging
import threading
from queue import SimpleQueue

from core import audit_log
from core.audit_log import AuditLine
from core.errors import TickhouseError
from core.sections import RunSettings
from execution.risk.limits_file import LimitsFile

ACTION = "limits in force"
_AGAIN_S = 1.0  # after a trail that took nothing
_log = logging.getLogger(__name__)


class LimitsTold:
    """Tells of all limits that came into force, in order, from `start` to `close`."""

    def __init__(self, run: RunSettings, limits: LimitsFile, again_s: float = _AGAIN_S) -> None:
        self._run, self._limits, self._again_s = run, limits, again_s
        self._lines = SimpleQueue[AuditLine | None]()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._tell, name="limits told", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def take(self, now_us: int) -> None:
        """Have limits told of that came into force, if any did. Waits for nothing."""
        content, self._limits.edited = self._limits.edited, None
        if content is not None and self._limits.home is not None:
            version, author = self._limits.rules.version, self._limits.author
            self._lines.put(_line(version, content, author, now_us))

    def close(self) -> None:
        """Tell the rest, and end; a lock that stays with another costs its ten seconds once."""
        self._closing.set()
        self._lines.put(None)
        self._thread.join()

    def _tell(self) -> None:
        for line in iter(self._lines.get, None):
            while not self._append(line):
                if self._closing.is_set():
                    self._leave(line)
                    return
                self._closing.wait(self._again_s)

    def _leave(self, line: AuditLine) -> None:
        """What the trail did not take stands in the log, whole."""
        for left in (line, *iter(self._lines.get, None)):
            version, content = left.payload["version"], left.payload["content"]
            _log.error("the audit trail has no text of limits %s, which is: %s", version, content)

    def _append(self, line: AuditLine) -> bool:
        """Whether the trail took it."""
        assert self._limits.home is not None
        try:
            audit_log.append(self._limits.home, line, self._run.run_id, self._run.mode)
        except (TickhouseError, OSError) as error:
            _log.warning("limits %s: their text has to wait: %s", line.payload["version"], error)
            return False
        return True


def _line(version: str, content: bytes, author: str, now_us: int) -> AuditLine:
    text = content.decode("utf-8", "replace")
    signed = f"limits that {author} signed came into force" if author else "limits.toml was changed"
    return AuditLine(
        ts_us=now_us, by="execution", authenticated=False, action=ACTION,
        detail=f"{signed} while trading: {version} holds", subject="limits.toml",
        payload={"version": version, "content": text, "author": author},
    )  # fmt: skip
