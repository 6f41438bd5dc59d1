"""A server that takes what it is sent and never answers, as a dead mail server or webhook does."""

import socket
import threading
from typing import Self


class SilentServer:
    """Listens on a free loopback port while entered. `called` is set once somebody came."""

    def __init__(self) -> None:
        self.called = threading.Event()
        self._held: list[socket.socket] = []

    def __enter__(self) -> Self:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in self._held:
            connection.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self._held.append(connection)
            self.called.set()
