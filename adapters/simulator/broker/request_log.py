"""The account's log of accepted requests: append-only, fsynced before the broker answers.

One line per record: CRC-32 in eight hex digits, a space, JSON. The account is a fold over it.
A torn last line (the process died while writing, so nobody got an answer) is cut off; damage
anywhere else stops the terminal.
"""

import os
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from core import durable
from core.errors import JournalError


class RequestLog:
    """Opens, checks and repairs the file; `header` must equal the one it was begun with.

    Raises:
        JournalError: a damaged record that is not the last, or another header.
    """

    def __init__(self, path: Path, header: dict[str, Any]) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._records = list(self._read())
        if self._records and self._records[0] != msgspec.json.decode(msgspec.json.encode(header)):
            raise JournalError(
                f"{path}, record 1: this account began with other settings than {header};"
                " restore them, or begin a new account with another log"
            )
        self._file = path.open("ab", buffering=0)
        if not self._records:
            self.append(header)
            durable.sync_directory(path.parent)
        del self._records[:1]

    def records(self) -> list[dict[str, Any]]:
        """Records found at opening, oldest first, without the header."""
        return self._records

    def append(self, record: dict[str, Any]) -> None:
        """Write one record; on disk when this returns."""
        body = msgspec.json.encode(record)
        self._file.write(b"%08x %s\n" % (zlib.crc32(body), body))
        getattr(os, "fdatasync", os.fsync)(self._file.fileno())

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _read(self) -> Iterator[dict[str, Any]]:
        content = self.path.read_bytes() if self.path.exists() else b""
        lines = content.split(b"\n")
        good = 0
        for number, line in enumerate(lines[:-1], 1):
            body = line[9:]
            if line[:9] != b"%08x " % zlib.crc32(body):
                if number < len(lines) - 1:
                    raise JournalError(
                        f"{self.path}, record {number}: damaged (checksum differs); restore the"
                        " file from a backup, or begin a new account with another log"
                    )
                break
            good += len(line) + 1
            yield msgspec.json.decode(body)
        if good < len(content):
            os.truncate(self.path, good)
