"""Sessions of the HTTP protocol: one kept engine connection per `session_id`.

A session holds temporary tables and what SET and USE changed. One request at a time may use it;
it ends when it was idle for its timeout. There is a cap, because clickhouse-connect opens one
session per client and never ends it: beyond the cap the one idle longest goes.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from core.errors import WarehouseError
from warehouse.engine.connection import Connection
from warehouse.protocol.status import TOO_MANY_QUERIES

DEFAULT_TIMEOUT_S = 60
MAX_TIMEOUT_S = 3600

Key = tuple[str, str]  # user, session_id


@dataclass(slots=True)
class _Session:
    connection: Connection
    timeout_s: int
    locked: bool = True
    expires: float = 0.0


class Sessions:
    """All sessions of a server. Thread-safe.

    cap: most sessions held. connect: opens an engine connection. clock: seconds, monotonic.
    """

    def __init__(
        self,
        connect: Callable[[], Connection],
        cap: int = 200,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._connect, self._cap, self._clock = connect, cap, clock
        self._lock = threading.Lock()
        self._sessions: dict[Key, _Session] = {}

    def __len__(self) -> int:
        return len(self._sessions)

    def acquire(
        self, key: Key, timeout_s: int = DEFAULT_TIMEOUT_S, check: bool = False
    ) -> Connection:
        """The session's connection, locked until `release`.

        check: fail unless the session exists already.

        Raises:
            WarehouseError: 372 not there, 373 in use, 202 cap reached with all in use.
        """
        self.expire()
        with self._lock:
            session = self._sessions.get(key)
            if session is None and check:
                raise _error(372, f"Session {key[1]!r} not found", "SESSION_NOT_FOUND")
            if session is None:
                self._make_room()
                session = self._sessions[key] = _Session(self._connect(), timeout_s)
            elif session.locked:
                raise _error(
                    373, f"Session {key[1]!r} is locked by a concurrent client", "SESSION_IS_LOCKED"
                )
            session.locked, session.timeout_s = True, timeout_s
            return session.connection

    def release(self, key: Key) -> None:
        """Unlock; the idle time starts."""
        with self._lock:
            session = self._sessions.get(key)
            if session is not None:
                session.locked = False
                session.expires = self._clock() + session.timeout_s

    def expire(self) -> None:
        """Close what was idle for too long."""
        now = self._clock()
        with self._lock:
            old = [k for k, s in self._sessions.items() if not s.locked and s.expires <= now]
            closing = [self._sessions.pop(key) for key in old]
        for session in closing:
            session.connection.close()

    def close(self) -> None:
        """Close every session. No request may be running."""
        with self._lock:
            closing = list(self._sessions.values())
            self._sessions.clear()
        for session in closing:
            session.connection.close()

    def _make_room(self) -> None:
        if len(self._sessions) < self._cap:
            return
        idle = [(s.expires - s.timeout_s, k) for k, s in self._sessions.items() if not s.locked]
        if not idle:
            raise _error(
                TOO_MANY_QUERIES,
                f"Too many sessions: all {self._cap} are in use",
                "TOO_MANY_SIMULTANEOUS_QUERIES",
            )
        self._sessions.pop(min(idle)[1]).connection.close()


def timeout_of(text: str) -> int:
    """`session_timeout` as sent, in seconds.

    Raises:
        WarehouseError: 374, not a number of seconds up to an hour.
    """
    if not text:
        return DEFAULT_TIMEOUT_S
    if not text.isdigit() or int(text) > MAX_TIMEOUT_S:
        raise _error(
            374,
            f"Invalid session timeout: {text!r}, at most {MAX_TIMEOUT_S} s",
            "INVALID_SESSION_TIMEOUT",
        )
    return int(text)


def _error(code: int, text: str, name: str) -> WarehouseError:
    return WarehouseError(f"Code: {code}. DB::Exception: {text}. ({name})", code)
