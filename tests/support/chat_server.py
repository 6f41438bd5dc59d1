"""A server that speaks OpenAI's chat completions by their documentation, for tests."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class ChatServer:
    """`say` decides what each question gets: a text, or a status with a body."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.questions: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.say: Callable[[dict[str, Any]], str | tuple[int, bytes]] = lambda _: "SELECT 1"
        self.location = ""
        self.slow_s = 0.0  # before each byte of an answer

    def last(self) -> str:
        """All that was sent with the last question."""
        return json.dumps(self.questions[-1])


@contextmanager
def chat_server() -> Iterator[ChatServer]:
    """One on a free port."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            known.questions.append(body)
            known.headers.append(dict(self.headers))
            said = known.say(body)
            status, content = said if isinstance(said, tuple) else (200, _completion(said))
            self.send_response(status)
            if known.location:
                self.send_header("Location", known.location)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self._write(content)

        def _write(self, content: bytes) -> None:
            try:
                for byte in content if known.slow_s else ():
                    time.sleep(known.slow_s)
                    self.wfile.write(bytes([byte]))
                    self.wfile.flush()
                if not known.slow_s:
                    self.wfile.write(content)
            except OSError:
                return  # nobody listens any more

        def log_message(self, format: str, *args: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    known = ChatServer(f"http://127.0.0.1:{server.server_address[1]}/v1")
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield known
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _completion(text: str) -> bytes:
    message = {"role": "assistant", "content": text}
    return json.dumps({"object": "chat.completion", "choices": [{"message": message}]}).encode()
