"""Named places where a test may kill this process, right before and after a commit.

Production code calls `reach("execution.journal.before")`. Nothing happens unless
`arm("execution.journal.before:3", marker)` was called at start: then the third time that place
is reached the process kills itself with SIGKILL, once (the marker file remembers it across
restarts).
"""

import os
import signal
from pathlib import Path

_armed: tuple[str, int, Path] | None = None
_count = 0


def arm(spec: str, marker: Path) -> None:
    """Arm one place. `spec` is `name:n`; `marker` is created just before the kill.

    Does nothing when `spec` is empty or the marker exists (the kill has happened).
    """
    global _armed
    if not spec or marker.exists():
        return
    name, _, nth = spec.rpartition(":")
    _armed = (name, int(nth), marker)


def arm_for(process: str, spec: str, run_directory: Path) -> None:
    """Arm when `spec` names a place of this process (`<process>.<place>:<n>`)."""
    if spec.startswith(f"{process}."):
        arm(spec, run_directory / "crashed")


def reach(name: str) -> None:
    """Die here if armed for this place and count; otherwise cost one comparison."""
    global _count
    if _armed is None or _armed[0] != name:
        return
    _count += 1
    if _count >= _armed[1]:
        _armed[2].touch()
        os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))
