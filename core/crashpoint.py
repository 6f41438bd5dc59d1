"""Named places where a test may kill this process, right before and after a commit.

Production code calls `reach("execution.journal.before")`. Nothing happens unless `arm_for` was
called at start with a place of this process: then, the third time for
`execution.journal.before:3`, the process kills itself with SIGKILL, once (a marker file
remembers it across restarts).
"""

import os
import signal
from pathlib import Path

_armed: dict[str, tuple[int, Path]] = {}
_counts: dict[str, int] = {}


def arm_for(process: str, specs: str, directory: Path) -> None:
    """Arm the places of one process.

    Args:
        process: its name; places of others are left to them.
        specs: `<process>.<place>:<n>`, several separated by commas; empty arms nothing.
        directory: where the marker `crashed.<spec>` is made just before the kill; a place whose
            marker exists is not armed again.
    """
    for spec in filter(None, specs.split(",")):
        name, _, nth = spec.rpartition(":")
        marker = directory / f"crashed.{name}"
        if name.startswith(f"{process}.") and not marker.exists():
            _armed[name] = int(nth), marker


def reach(name: str) -> None:
    """Die here if armed for this place and count; otherwise cost one comparison."""
    if not _armed or name not in _armed:
        return
    _counts[name] = _counts.get(name, 0) + 1
    nth, marker = _armed[name]
    if _counts[name] >= nth:
        marker.touch()
        os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))
