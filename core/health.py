"""Every process reports its health on a loopback port: `/health` (JSON) and `/metrics`.

The port is chosen free and written to `<home>/run/<process>.json`, where `tickhouse status`
looks for it.
"""

import contextlib
import json
import logging
import os
import socket
import ssl
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from prometheus_client import REGISTRY, generate_latest

from core import durable, metrics_targets, tls, tls_door
from core.errors import BusyError
from core.same_origin import refusal

_HANDSHAKE_S = 10.0
_log = logging.getLogger(__name__)


class _Server(ThreadingHTTPServer):
    """TLS, where the home has it, in each connection's own thread: who is slow keeps nobody."""

    def __init__(self, address: Any, handler: Any, context: ssl.SSLContext | None) -> None:
        self._context = context
        super().__init__(address, handler)

    def finish_request(self, request: Any, client_address: Any) -> None:
        """socketserver's, in the thread."""
        if self._context is None:
            with contextlib.suppress(ConnectionError):  # who asked has gone
                super().finish_request(request, client_address)
            return
        request.settimeout(_HANDSHAKE_S)
        if tls_door.is_plain(request.recv(1, socket.MSG_PEEK)):
            request.sendall(tls_door.REFUSAL)
            return
        with contextlib.suppress(OSError), self._context.wrap_socket(request, True) as secured:
            super().finish_request(secured, client_address)


class Health:
    """What a process says about itself. `set` may be called from any thread."""

    def __init__(self, process: str, directory: Path, pid: int | None = None) -> None:
        """Serve on a free loopback port and write `directory/<process>.json`.

        `pid`: who is known by that name, when it is not this process but its parent.
        """
        self.process = process
        self.started_us = time.time_ns() // 1000
        self.status, self.detail = "starting", ""
        self._file = directory / f"{process}.json"
        directory.mkdir(parents=True, exist_ok=True)
        health = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                if why := refusal(self.headers.items()):
                    self._answer(403, "text/plain", f"{why}\n".encode())
                elif self.path == "/metrics":
                    self._answer(200, "text/plain; version=0.0.4", generate_latest(REGISTRY))
                elif self.path == "/health":
                    code = 200 if health.status == "ready" else 503
                    self._answer(code, "application/json", json.dumps(health.report()).encode())
                else:
                    self._answer(404, "text/plain", b"try /health or /metrics\n")

            def _answer(self, code: int, kind: str, body: bytes) -> None:
                self.send_response(code)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                """Health checks are not news."""

        self._server = _Server(("127.0.0.1", 0), Handler, tls.serving(directory.parent))
        self._server.daemon_threads = True
        self.port = int(self._server.server_address[1])
        threading.Thread(target=self._server.serve_forever, name="health", daemon=True).start()
        self._address = json.dumps({"pid": pid or os.getpid(), "health_port": self.port})
        self._unwritten = True
        self._write_port()

    def set(self, status: str, detail: str = "") -> None:
        """`status`: starting, ready, degraded or stopping; `detail`: one line for a person."""
        self.status, self.detail = status, detail
        if self._unwritten:
            self._write_port()

    def _write_port(self) -> None:
        """A process that starts on a full disk works, and says where it is once there is space."""
        try:
            durable.write(self._file, self._address.encode())
            self._unwritten = False
        except OSError as error:
            _log.warning("%s is not written, so nobody finds this process: %s", self._file, error)
        else:
            self._tell_prometheus()

    def _tell_prometheus(self) -> None:
        try:
            metrics_targets.write(self._file.parent)
        except (OSError, BusyError) as error:
            _log.warning("Prometheus is not told of this process: %s", error)

    def report(self) -> dict[str, object]:
        """What `/health` answers."""
        return {
            "process": self.process,
            "pid": os.getpid(),
            "status": self.status,
            "detail": self.detail,
            "started_us": self.started_us,
        }

    def outlive_start(self) -> None:
        """Before a good end of its own accord: wait until the supervisor takes it for one.

        supervisord takes any end within its first second (`startsecs`) for a failed start, and
        gives up on a process that "fails" so repeatedly; a process that was killed at the end of
        a replay and restarted has nothing left to do and is done in less.
        """
        age_s = time.time() - self.started_us / 1e6
        time.sleep(max(0.0, 1.2 - age_s))

    def close(self) -> None:
        """Stop serving and remove the file, unless another process has written its own since."""
        self._server.shutdown()
        self._server.server_close()
        with contextlib.suppress(FileNotFoundError):
            if self._file.read_text() == self._address:
                self._file.unlink()
                self._tell_prometheus()
