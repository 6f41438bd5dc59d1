"""An HTTP proxy before a warehouse, which alters what passes: faults of servers not at hand."""

import http.client
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlencode, urlsplit

_OF_A_HOP = {"accept-encoding", "connection", "content-length", "transfer-encoding"}


@dataclass
class Fault:
    """What to do to each exchange."""

    parameters: Callable[[dict[str, str]], dict[str, str]] = lambda given: given
    answer: Callable[[bytes], bytes] = lambda body: body
    loses: Callable[[dict[str, str]], bool] = lambda given: False  # the answer, not the request


@contextmanager
def before(url: str, fault: Fault) -> Iterator[str]:
    """The proxy's own URL."""
    behind = urlsplit(url)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self._pass(b"".join(self._chunks()))

        def do_GET(self) -> None:
            self._pass(b"")

        def log_message(self, *_: object) -> None:
            """Say nothing."""

        def _chunks(self) -> Iterator[bytes]:
            if self.headers.get("Transfer-Encoding") != "chunked":
                yield self.rfile.read(int(self.headers.get("Content-Length") or 0))
                return
            while size := int(self.rfile.readline(), 16):
                yield self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()

        def _pass(self, body: bytes) -> None:
            target = urlsplit(self.path)
            given = dict(parse_qsl(target.query, keep_blank_values=True))
            path = f"{target.path}?{urlencode(fault.parameters(given))}"
            kept = {k: v for k, v in self.headers.items() if k.lower() not in _OF_A_HOP}
            server = http.client.HTTPConnection(str(behind.hostname), behind.port, timeout=60)
            try:
                server.request(self.command, path, body, kept)
                reply = server.getresponse()
                answer = fault.answer(reply.read())
            finally:
                server.close()
            self.close_connection = True  # no handler waits for a second request
            if fault.loses(given):
                return
            self.send_response(reply.status)
            for name, value in reply.getheaders():
                if name.lower() not in _OF_A_HOP:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer)))
            self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(answer)

    proxy = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=proxy.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{proxy.server_address[1]}"
    finally:
        proxy.shutdown()
        thread.join()
        proxy.server_close()
