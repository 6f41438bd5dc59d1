"""How other commands find a stack that runs: `<home>/run/stack.json`, true while the lock is held.

`tickhouse status`, `doctor` and whoever wants the running warehouse read it.
"""

import shutil
from pathlib import Path

import msgspec

from cli.stack.home_lock import is_taken
from cli.stack.process_state import ProcessState, observe
from cli.stack.supervisor_client import SupervisorClient
from core import checked_json, durable
from core.process_view import ProcessView

SOCKETS = "tickhouse-"  # how the temporary directory of supervisord's socket is named


class RunningStack(msgspec.Struct, frozen=True):
    """A stack as its owner wrote it down."""

    pid: int  # of the owner
    command: str  # the owner's: "up", "replay", ...
    started_us: int
    socket: str  # supervisord's
    urls: dict[str, str]  # "warehouse" (ClickHouse HTTP), "bus" (NATS), "bus monitor", "terminal"
    processes: tuple[ProcessView, ...]

    def observe(self) -> dict[str, ProcessState]:
        """State of each process now.

        Raises:
            UnavailableError: supervisord does not answer.
        """
        client = SupervisorClient(Path(self.socket))
        try:
            return observe(self.processes, client.processes())
        finally:
            client.close()


def running(home: Path) -> RunningStack | None:
    """The stack that holds a home; None when nothing runs there."""
    return _read(home) if is_taken(home) else None


def _read(home: Path) -> RunningStack | None:
    try:
        return checked_json.decode((home / "run" / "stack.json").read_bytes(), RunningStack)
    except (FileNotFoundError, msgspec.DecodeError):
        return None  # about to start


def write_down(home: Path, stack: RunningStack) -> None:
    """Tell others."""
    content = msgspec.json.format(msgspec.json.encode(stack))
    durable.write(home / "run" / "stack.json", content)


def remove_leftovers(home: Path) -> None:
    """Remove the socket's directory that a killed owner left; call with the lock held."""
    left = _read(home)
    if left and Path(left.socket).parent.name.startswith(SOCKETS):
        shutil.rmtree(Path(left.socket).parent, ignore_errors=True)
    forget(home)


def forget(home: Path) -> None:
    """Nothing runs any more."""
    (home / "run" / "stack.json").unlink(missing_ok=True)
