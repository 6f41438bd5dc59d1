"""Active, reducing or halted: the kill switch, durable in `<home>/control.json`.

The file works with bus and warehouse down: `tickhouse halt` writes it whole and synced, live
execution looks every few milliseconds. A file that cannot be read halts: doubt stops trading.
"""

import os
import threading
from pathlib import Path
from typing import Literal

import msgspec

from core.contracts.operations import Control

State = Literal["active", "reducing", "halted"]


class Order(msgspec.Struct, frozen=True):
    """The last word on trading: the content of the control file."""

    state: State
    by: str
    reason: str
    ts_us: int


ACTIVE = Order("active", "", "nobody halted", 0)


class TradingState:
    """What holds now. `poll` and `obey` may be called from other threads than `state` is read."""

    def __init__(self, path: Path | None) -> None:
        """`path`: the control file; None in a replay, which nobody halts."""
        self._path = path
        self._lock = threading.Lock()
        self._seen: tuple[int, int, int] | None = None
        self.current = ACTIVE
        self.poll()

    @property
    def state(self) -> State:
        """The state that checks read."""
        return self.current.state

    def poll(self) -> bool:
        """Look at the file; True when the state has changed. Costs one `stat` when it has not."""
        if self._path is None:
            return False
        with self._lock:
            signature = _signature(self._path)
            if signature == self._seen:
                return False
            self._seen, before = signature, self.current
            self.current = _read(self._path)
            return self.current != before

    def obey(self, control: Control) -> bool:
        """Take a message from the bus into the file, unless the file is newer."""
        if (
            control.kind not in ("halt", "resume")
            or self._path is None
            or control.ts_event_us < self.current.ts_us
        ):
            return False
        state: State = "halted" if control.kind == "halt" else "active"
        write(self._path, Order(state, control.by, control.reason, control.ts_event_us))
        return self.poll()


def write(path: Path, order: Order) -> None:
    """Replace the control file; whole and on disk when this returns."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(f".{os.getpid()}.{threading.get_ident()}.tmp")
    with temporary.open("wb") as file:
        file.write(msgspec.json.encode(order) + b"\n")
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)


def _signature(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_mtime_ns, found.st_ino, found.st_size


def _read(path: Path) -> Order:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Order)
    except FileNotFoundError:
        return ACTIVE
    except (OSError, msgspec.DecodeError) as error:
        return Order("halted", "execution", f"{path} cannot be read: {error}", 0)
