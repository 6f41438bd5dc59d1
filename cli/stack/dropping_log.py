"""Logs that a full disk does not end: what cannot be written is dropped, counted and told later.

supervisord's own handler prints a traceback when a write fails. Its standard error is a file on
the same disk, so that fails too, and it dies of it, with every process and every exit due. Here
a failed write costs its piece of log and nothing else; the first that succeeds again says how
many were lost. Files are unbuffered, so that nothing half written waits in memory.
"""

import io
from typing import Any

from supervisor import loggers

_NOTICE = "\n[%d pieces of this log were dropped: it could not be written]\n"


class DroppingHandler(loggers.RotatingFileHandler):  # type: ignore[misc]  # it has no types
    """supervisord's rotating log file, which survives its disk."""

    stream: Any
    dropped = 0
    met_full_disk = False  # any of them, since somebody last looked

    def emit(self, record: Any) -> None:
        """Write a record, or count it."""
        try:
            self._write((_NOTICE % self.dropped).encode() if self.dropped else b"")
            self.dropped = 0
            self._write(_bytes(self.fmt, record))
            self.doRollover()
        except OSError:
            self.dropped += 1
            DroppingHandler.met_full_disk = True

    def _write(self, data: bytes) -> None:
        if self.stream.closed or not isinstance(self.stream, io.FileIO):
            self._open()
        left = memoryview(data)
        while left:
            left = left[self.stream.write(left) :]

    def _open(self) -> None:
        """Also after a rollover that went half way, and what supervisord opened with a buffer."""
        opened = open(self.baseFilename, "ab", buffering=0)  # noqa: SIM115 - the handler closes it
        self.stream.close()
        self.stream = opened


def install(own: Any) -> None:
    """Let supervisord's own log (`own`) and those it opens from now on survive."""
    loggers.RotatingFileHandler = DroppingHandler
    for handler in own.handlers:
        if type(handler) is DroppingHandler.__base__:
            handler.__class__ = DroppingHandler


def _bytes(fmt: str, record: Any) -> bytes:
    """As supervisord formats: a process's output stays as it came."""
    if fmt == "%(message)s" and isinstance(record.msg, bytes):
        return record.msg
    return str(fmt % record.asdict()).encode(errors="replace")
