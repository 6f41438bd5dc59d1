"""`<home>/audit.log`: what people ordered, written before it is done."""

import os
from pathlib import Path

import msgspec


class AuditLine(msgspec.Struct, frozen=True):
    """One line. `authenticated`: whether `by` gave a password."""

    ts_us: int
    by: str
    authenticated: bool
    action: str
    detail: str


def append(home: Path, line: AuditLine) -> None:
    """Append a line; on disk when this returns."""
    home.mkdir(parents=True, exist_ok=True)
    with (home / "audit.log").open("ab") as file:
        file.write(msgspec.json.encode(line) + b"\n")
        file.flush()
        os.fsync(file.fileno())
