"""Connections to the simulated terminal: few at a time, and known before anything is read.

Who has not proven who he is holds one of a few places and for seconds; when those are taken, the
one who waited longest makes room, so that idle strangers keep nobody out.
"""

import contextlib
import logging
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from adapters.mt5.remote import frames, hello
from core import tls

WAITING = 16  # connections that have not yet proven who they are
PER_ROLE = 16  # connections of one role
HELLO_S = 2.0
FRAME_S = 10.0  # for the rest of a call once it began, and for a client to take its answer
CALL_BYTES = 64 * 1024

_log = logging.getLogger(__name__)

Serve = Callable[[frames.Channel, frozenset[str]], None]


class Doorway:
    """Listens on 127.0.0.1 and calls `serve` for each client, in a thread of its own.

    Raises:
        SettingsError: a credential of the home that is none.
        OSError: the port is taken.
    """

    def __init__(self, credentials: Path, port: int, serve: Serve) -> None:
        """`serve`: talks to one client, who may call these methods, until it leaves."""
        self._keys = {role: hello.secret_of(credentials, role) for role in hello.ROLES}
        self._context = tls.serving(credentials.parent)
        self._serve = serve
        self._lock = threading.Lock()
        self._waiting: list[socket.socket] = []
        self._inside: dict[frames.Channel, str] = {}
        self._listener = socket.create_server(("127.0.0.1", port))
        self._closed = False
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, name="accept", daemon=True).start()

    def close(self) -> None:
        """Let nobody in any more and disconnect everybody."""
        self._closed = True
        with contextlib.suppress(OSError):  # elsewhere than Linux a listener has no shutdown
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            for waiting in self._waiting:
                _end(waiting)
            for channel in self._inside:
                channel.end()

    def _accept(self) -> None:
        while not self._closed:
            try:
                connection, _ = self._listener.accept()
            except OSError:  # closed, or no more files: then some are closed soon
                time.sleep(0.0 if self._closed else 0.05)
                continue
            with self._lock:
                if len(self._waiting) >= WAITING:
                    _end(self._waiting.pop(0))
                self._waiting.append(connection)
            threading.Thread(target=self._meet, args=(connection,), daemon=True).start()

    def _meet(self, connection: socket.socket) -> None:
        waiting = connection
        try:
            connection = waiting = self._secured(connection)
            role = hello.receive(connection, self._keys, HELLO_S)
        except OSError as error:
            role = ""
            _log.debug("a stranger left: %s", error)
        finally:
            with self._lock, contextlib.suppress(ValueError):  # it was made to leave
                self._waiting.remove(waiting)
        if not role:
            connection.close()
            return
        channel = frames.Channel(connection, CALL_BYTES, FRAME_S)
        try:
            if self._enters(channel, role):
                self._serve(channel, hello.ROLES[role])
        finally:
            with self._lock:
                self._inside.pop(channel, None)
            channel.close()

    def _secured(self, connection: socket.socket) -> socket.socket:
        if self._context is None:
            return connection
        connection.settimeout(HELLO_S)
        secured = self._context.wrap_socket(connection, server_side=True)
        with self._lock:
            # It may have been made to leave meanwhile: then the hello finds it closed.
            self._waiting = [secured if it is connection else it for it in self._waiting]
        return secured

    def _enters(self, channel: frames.Channel, role: str) -> bool:
        with self._lock:
            there = Counter(self._inside.values())[role]
            if self._closed or there >= PER_ROLE:
                _log.warning("%s is refused: it has %d connections already", role, there)
                return False
            self._inside[channel] = role
            return True


def _end(connection: socket.socket) -> None:
    """Its thread, which waits for it, closes it."""
    with contextlib.suppress(OSError):  # the other side may be gone already
        connection.shutdown(socket.SHUT_RDWR)
