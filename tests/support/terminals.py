"""A client of a simulated terminal's server in this process, or of a process on a home."""

from pathlib import Path

from adapters.mt5.remote.links import TcpLink
from adapters.mt5.remote.terminal import RemoteTerminal
from adapters.simulator.server import Server
from core.credentials import directory_of


def asking(server: Server, role: str = "execution", timeout_s: float = 30.0) -> RemoteTerminal:
    """Somebody of that role."""
    return RemoteTerminal(TcpLink(server.address, server.credentials, role), timeout_s)


def asking_home(home: Path, timeout_s: float = 30.0, role: str = "execution") -> RemoteTerminal:
    """Somebody of that role, at the terminal process that runs on a home."""
    address = (home / "run" / "terminal.address").read_text()
    return RemoteTerminal(TcpLink(address, directory_of(home), role), timeout_s)
