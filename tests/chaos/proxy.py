"""A loopback TCP proxy that misbehaves on request: between a client and a server of ours.

Bytes that are dropped leave a stream that nobody can read on, so a hole always ends in a cut, as a
lost network ends in a reset. Order within a direction is kept whatever the delay.
"""

import contextlib
import socket
import threading
import time

_CHUNK = 65_536


class Proxy:
    """Listens on a port of its own while the block runs, and passes on to another."""

    def __init__(self, target_port: int) -> None:
        self._target_port = target_port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._closed = False
        self.lag_s = 0.0  # what every piece waits
        self.swallows = False  # what arrives is lost
        self.refuses = False  # new connections are closed at once

    def __enter__(self) -> "Proxy":
        threading.Thread(target=self._accept, name="proxy", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closed = True
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()

    def cut(self) -> None:
        """Break every connection that is open now."""
        with self._lock:
            ends = list(self._open)
        for end in ends:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def heal(self) -> None:
        """Pass everything on again, at once."""
        self.lag_s, self.swallows, self.refuses = 0.0, False, False

    def _accept(self) -> None:
        while not self._closed:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            if self.refuses:
                near.close()
                continue
            threading.Thread(target=self._join, args=(near,), daemon=True).start()

    def _join(self, near: socket.socket) -> None:
        try:
            far = socket.create_connection(("127.0.0.1", self._target_port), timeout=5.0)
        except OSError:  # the server is down: so are we
            near.close()
            return
        far.settimeout(None)
        for end in (near, far):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with self._lock:
            self._open |= {near, far}
        back = threading.Thread(target=self._copy, args=(far, near), daemon=True)
        back.start()
        self._copy(near, far)
        back.join()
        with self._lock:
            self._open -= {near, far}
        near.close()
        far.close()

    def _copy(self, source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(_CHUNK):
                if self.swallows:
                    continue
                if self.lag_s:
                    time.sleep(self.lag_s)
                target.sendall(data)
        for end in (source, target):  # both ways end together: nothing of ours half-closes
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
