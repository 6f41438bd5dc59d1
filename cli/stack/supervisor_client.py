"""Talks to a running supervisord over its Unix socket (XML-RPC), from any process of its user.

supervisor itself is imported with the first connection: beside a terminal on Windows there is none,
and `tickhouse halt` must work there too.
"""

import http.client
import threading
import xmlrpc.client
from pathlib import Path
from typing import Any

import msgspec

from core.errors import UnavailableError


class ProcessInfo(msgspec.Struct, frozen=True):
    """What supervisord knows of one process."""

    name: str
    state: str  # stopped, starting, running, backoff, stopping, exited, fatal, unknown
    pid: int  # 0 when not running
    uptime_s: int
    starts: int
    exit_code: int  # of the last run; -1: ended by a signal; 0 also when it never ended
    problem: str  # why it could not be started, else empty


class SupervisorClient:
    """One connection. Every method raises UnavailableError when supervisord does not answer."""

    def __init__(self, socket: Path) -> None:
        from supervisor.xmlrpc import Faults, SupervisorTransport

        self._faults = Faults
        self._transport = SupervisorTransport(serverurl=f"unix://{socket}")
        self._proxy = xmlrpc.client.ServerProxy("http://supervisor", transport=self._transport)
        self._lock = threading.Lock()

    def processes(self) -> dict[str, ProcessInfo]:
        """Every process by name."""
        starts = self._call("tickhouse.starts")
        return {
            raw["name"]: _info(raw, starts.get(raw["name"], 0))
            for raw in self._call("supervisor.getAllProcessInfo")
        }

    def start(self, name: str) -> None:
        """Start a process without waiting; nothing happens if it runs already."""
        self._call("supervisor.startProcess", name, False, passing=self._faults.ALREADY_STARTED)

    def stop(self, name: str) -> None:
        """Ask a process to end without waiting; nothing happens if it does not run."""
        self._call("supervisor.stopProcess", name, False, passing=self._faults.NOT_RUNNING)

    def killed(self) -> set[str]:
        """Processes that had to be killed since supervisord runs, because they did not end."""
        return set(self._call("tickhouse.killed"))

    def shutdown(self) -> None:
        """Stop what still runs, in order, and end supervisord."""
        self._call("supervisor.shutdown", passing=self._faults.SHUTDOWN_STATE)

    def close(self) -> None:
        """Disconnect."""
        self._transport.close()

    def _call(self, method: str, *arguments: object, passing: int | None = None) -> Any:
        with self._lock:
            try:
                return getattr(self._proxy, method)(*arguments)
            except xmlrpc.client.Fault as fault:
                if fault.faultCode == passing:
                    return None
                text = f"supervisord refused {method}: {fault.faultString}"
                raise UnavailableError(text) from fault
            except (OSError, xmlrpc.client.Error, http.client.HTTPException) as error:
                self._transport.close()
                raise UnavailableError(f"supervisord does not answer: {error}") from error
            except BaseException:  # Ctrl-C: an answer may be under way, and is not the next one's
                self._transport.close()
                raise


def _info(raw: dict[str, Any], starts: int) -> ProcessInfo:
    alive = raw["pid"] != 0
    return ProcessInfo(
        name=raw["name"],
        state=raw["statename"].lower(),
        pid=raw["pid"],
        uptime_s=max(raw["now"] - raw["start"], 0) if alive else 0,
        starts=starts,
        exit_code=raw["exitstatus"],
        problem=raw["spawnerr"],
    )
