"""Real servers for tests: on free ports, and killable."""

import contextlib
import os
import signal
import socket
import subprocess
import threading
import time
from pathlib import Path

from adapters.bus.nats.server import command


def free_port() -> int:
    """A loopback TCP port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class NatsServer:
    """A NATS server of the product's own configuration. Use as a context manager.

    Without `credentials` it lets everybody in.
    """

    def __init__(self, directory: Path, credentials: Path | None = None) -> None:
        self._directory, self._credentials = directory, credentials
        self._log = directory / "nats.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._choose()

    def _choose(self) -> None:
        self.port, self.monitor_port = free_port(), free_port()
        self.url = f"nats://127.0.0.1:{self.port}"
        self._line = command(
            self._directory, self.port, self.monitor_port, credentials=self._credentials
        )

    def __enter__(self) -> "NatsServer":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start, and wait until it greets. Who took a chosen port meanwhile may keep it."""
        begins_anew = self._process is not None
        for _ in range(3):
            with self._log.open("ab") as log:
                self._process = subprocess.Popen(self._line, stdout=log, stderr=log)
            deadline = time.monotonic() + 20
            while self._process.poll() is None and time.monotonic() < deadline:
                if self._greets():
                    return
                time.sleep(0.01)
            if begins_anew or self._process.poll() is None:
                break
            self._choose()
        raise RuntimeError(f"nats-server did not start:\n{self._log.read_text()}")

    def kill(self) -> None:
        """SIGKILL: nothing is written any more."""
        assert self._process is not None
        os.kill(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def stop(self) -> None:
        """Stop in an orderly way, if it runs."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            self._process.wait(timeout=20)

    def _greets(self) -> bool:
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.settimeout(1.0)
            probe.connect(("127.0.0.1", self.port))
            return probe.recv(4) == b"INFO"
        return False


class Relay:
    """A loopback TCP relay whose connections can be cut while both ends live."""

    def __init__(self, target_port: int) -> None:
        self._target_port = target_port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"nats://127.0.0.1:{self._listener.getsockname()[1]}"
        self._sockets: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept)]

    def __enter__(self) -> "Relay":
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()
        for thread in self._threads:
            thread.join()
        for end in self._sockets:
            end.close()

    def cut(self) -> None:
        """Break every connection that is open now."""
        for end in list(self._sockets):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                self._sockets.append(near)
                self._join(near)

    def _join(self, near: socket.socket) -> None:
        try:
            far = socket.create_connection(("127.0.0.1", self._target_port))
        except OSError:  # the target is down: so are we
            near.shutdown(socket.SHUT_RDWR)
            return
        self._sockets.append(far)
        for ends in ((near, far), (far, near)):
            self._threads.append(threading.Thread(target=_copy, args=ends))
            self._threads[-1].start()


def _copy(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_RDWR)
