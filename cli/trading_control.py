"""The kill switch's file, `<home>/control.json`: what execution obeys, also across restarts.

A file and not a message: it works with everything down, and nothing else must work for it.
"""

import os
from pathlib import Path
from typing import Literal

import msgspec

from core.clock import Clock
from core.errors import InputError

Positions = Literal["keep", "flatten"]


class TradingControl(msgspec.Struct, frozen=True):
    """The last word of a person on trading."""

    state: Literal["halted", "reducing", "active"]
    by: str
    reason: str
    ts_us: int
    positions: Positions = "keep"  # what a halt does with them: keep their stops, or close


def order(
    home: Path,
    state: Literal["halted", "reducing", "active"],
    by: str,
    reason: str,
    clock: Clock,
    positions: Positions = "keep",
) -> TradingControl:
    """Write the file so that it is whole and on disk when this returns."""
    control = TradingControl(state, by, reason, clock.now_us(), positions)
    home.mkdir(parents=True, exist_ok=True)
    path = home / "control.json"
    temporary = path.with_suffix(f".{os.getpid()}.tmp")
    with temporary.open("wb") as file:
        file.write(msgspec.json.encode(control) + b"\n")
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)
    if hasattr(os, "O_DIRECTORY"):  # elsewhere a directory cannot be opened, and need not be
        directory = os.open(home, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)
    return control


def current(home: Path) -> TradingControl | None:
    """What holds now; None when nobody ever halted.

    Raises:
        InputError: the file is damaged.
    """
    path = home / "control.json"
    if not path.exists():
        return None
    try:
        return msgspec.json.decode(path.read_bytes(), type=TradingControl)
    except msgspec.DecodeError as error:
        problem = f"damaged ({error}); order again with `tickhouse halt` or `tickhouse resume`"
        raise InputError(str(path), problem) from error
