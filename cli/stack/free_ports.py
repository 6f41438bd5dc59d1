"""Free loopback ports for a stack's servers, promised to it until its process ends.

A port is chosen up to a minute before its server listens on it (Dagster's comes last). Without a
promise a second stack that starts meanwhile chooses the same one, and one of the two servers never
starts. The promise is a socket of Linux's abstract namespace: of this machine alone, no file, and
gone with the process however that ends.
"""

import atexit
import contextlib
import socket
import sys
from collections.abc import Sequence

_promised: dict[int, socket.socket] = {}  # kept open: closing one would take the promise back


def free_ports(wanted: Sequence[int]) -> list[int]:
    """As many free loopback ports, all different: those wanted, others (or for 0) where taken.

    A port that another stack of this machine has chosen counts as taken.
    """
    held: list[socket.socket] = []
    try:
        for port in wanted:
            held += [_hold(port)]  # one by one, so that a failure closes them
        return [_port(s) for s in held]
    finally:
        for holder in held:
            holder.close()


def _hold(port: int) -> socket.socket:
    for candidate in (port, *[0] * 100):
        with contextlib.suppress(OSError):
            holder = _bound(candidate)
            if _promise(_port(holder), anew=not candidate):
                return holder
            holder.close()
    return _bound(0)


def _bound(port: int) -> socket.socket:
    holder = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        # As servers do, or a port whose last connections are still closing would count as taken.
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind(("127.0.0.1", port))
    except OSError:
        holder.close()
        raise
    return holder


def _promise(port: int, *, anew: bool) -> bool:
    """Whether it is ours now, and (`anew`) was not before; elsewhere than on Linux it just is."""
    if port in _promised or sys.platform != "linux":
        return port not in _promised or not anew
    word = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        word.bind(f"\0tickhouse.port.{port}")
    except OSError:
        word.close()
        return False
    _promised[port] = word
    atexit.register(word.close)  # or the interpreter's end complains of each
    return True


def _port(holder: socket.socket) -> int:
    return int(holder.getsockname()[1])
