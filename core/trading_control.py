"""The kill switch: `<home>/control.json`, what execution obeys, also across restarts.

A file and not a message: it works with everything down, and nothing else must work for it. The
loopback port of a running execution only makes a halt hold at once, and when the disk takes
nothing any more. The command line and the live page both press it here.
"""

import contextlib
import socket
from pathlib import Path
from typing import Literal, NamedTuple

import msgspec

from core import checked_json, durable
from core.audit_log import AuditLine, append
from core.clock import Clock
from core.errors import InputError, TickhouseError

State = Literal["active", "reducing", "halted"]
Positions = Literal["keep", "flatten"]


class ControlCommand(msgspec.Struct, frozen=True):
    """The last command on trading: the content of the control file.

    `positions`: what a halt does with open positions. They keep their stops, or are closed.
    """

    state: State
    by: str
    reason: str
    ts_us: int
    positions: Positions = "keep"


class Halted(NamedTuple):
    """How a halt was taken. `unwritten`: why it holds only until execution ends; else None."""

    order: ControlCommand
    heard: bool  # a running execution has obeyed
    unwritten: OSError | None


def path_in(home: Path) -> Path:
    """Where a home's last command stands."""
    return home / "control.json"


def port_path_in(home: Path) -> Path:
    """Where the halt port of a running execution stands."""
    return home / "execution" / "halt_port"


def halt(home: Path, by: str, reason: str, clock: Clock, positions: Positions = "keep") -> Halted:
    """Halt: the file, and a running execution at once.

    Raises:
        OSError: the file cannot be written, and no execution runs that heard it.
    """
    order, failed = ControlCommand("halted", by, reason, clock.now_us(), positions), None
    try:
        write(path_in(home), order)
    except OSError as error:
        failed = error
    heard = halt_running(home, order)
    if failed is not None and not heard:
        raise failed
    _note(home, order, "halt")
    return Halted(order, heard, failed)


def reduce(home: Path, by: str, reason: str, clock: Clock) -> ControlCommand | None:
    """Open nothing from now on; None when what holds already is as strict.

    Raises:
        InputError: what holds cannot be read, which halts anyway.
    """
    now = current(home)
    if now is not None and now.state != "active":
        return None
    order = ControlCommand("reducing", by, reason, clock.now_us())
    write(path_in(home), order)
    _note(home, order, "reduce")
    return order


def _note(home: Path, order: ControlCommand, action: str) -> None:
    """After the halt, and as well as it goes: no trouble with the log may keep trading going."""
    detail = f"positions: {order.positions}"
    line = AuditLine(order.ts_us, order.by, False, action, detail, reason=order.reason)
    with contextlib.suppress(OSError, TickhouseError):
        append(home, line)


def resume(home: Path, by: str, reason: str, clock: Clock) -> ControlCommand:
    """Lift the halt and what breakers tripped before now. Who may, the caller has asked."""
    order = ControlCommand("active", by, reason, clock.now_us())
    write(path_in(home), order)
    return order


def current(home: Path) -> ControlCommand | None:
    """What holds now; None when nobody ever halted.

    Raises:
        InputError: the file is damaged.
    """
    path = path_in(home)
    try:
        return checked_json.read(path, ControlCommand)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.DecodeError) as error:
        problem = f"damaged ({error}); order again with `tickhouse halt` or `tickhouse resume`"
        raise InputError(str(path), problem) from error


def write(path: Path, order: ControlCommand) -> None:
    """Replace the control file; whole and on disk when this returns."""
    durable.write(path, content_of(order))


def content_of(order: ControlCommand) -> bytes:
    """What stands in the file, and what is signed where controls are."""
    return checked_json.encode(order) + b"\n"


def halt_running(home: Path, order: ControlCommand, timeout_s: float = 0.5) -> bool:
    """Halt a running execution at once; False when none answers."""
    try:
        port = int(port_path_in(home).read_text())
        with socket.create_connection(("127.0.0.1", port), timeout_s) as call:
            call.settimeout(timeout_s)
            call.sendall(msgspec.json.encode(order) + b"\n")
            return call.recv(64).startswith(b"halted")
    except (OSError, ValueError):
        return False
