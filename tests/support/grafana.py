"""A stand-in that speaks as much of Grafana's HTTP API as pushing and checking boards use.

There is no Grafana here. Paths, codes and shapes are those of its documentation; what a test wants
to go wrong is an attribute.
"""

import json
import threading
from collections.abc import Callable, Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from dashboards.grafana.check import GRAFANA, PLUGIN
from surveillance.rules import RULES

TOKEN = "glsa_secret"
Rows = Sequence[Sequence[Any]]


def one_row(_sql: str) -> Rows:
    """The answer to everything, unless a test has another: none cancelled, a mode."""
    return [(0 if "code = 394" in _sql and "count() FROM query_log" in _sql else "demo",)]


class Grafana:
    """Folders and boards in memory; versions, rules and answers as a test sets them."""

    def __init__(self) -> None:
        self.folders: dict[str, Any] = {}
        self.boards: dict[str, Any] = {}
        self.writes = 0
        self.version, self.plugin = f"{GRAFANA}.3", f"{PLUGIN}.1"
        self.rules = {rule.title: "inactive" for rule in RULES}
        self.answer: Callable[[str], Rows] = one_row
        self.spans: list[tuple[str, str]] = []
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    def read(self, path: str) -> Any:
        """What GET answers; None is not found."""
        kind, _, rest = path.partition("/")
        match kind:
            case "health":
                return {"database": "ok", "version": self.version}
            case "folders":
                return self.folders.get(rest)
            case "dashboards":
                return self.boards.get(rest.removeprefix("uid/"))
            case "plugins":
                return {"info": {"version": self.plugin}} if self.plugin else None
            case "datasources":
                return {"status": "OK", "message": "Data source is working"}
            case "prometheus":
                rules = [{"name": n, "state": s, "health": "ok"} for n, s in self.rules.items()]
                return {"status": "success", "data": {"groups": [{"rules": rules}]}}
            case _:
                return None

    def write(self, path: str, sent: Any) -> Any:
        """What POST does and answers."""
        if path == "ds/query":
            return self._rows(sent)
        self.writes += 1
        if path == "folders":
            self.folders[sent["uid"]] = sent
        else:
            board = sent["dashboard"] | {"id": self.writes, "version": 1}
            meta = {"folderUid": sent["folderUid"]}
            self.boards[board["uid"]] = {"dashboard": board, "meta": meta}
        return {"status": "success"}

    def _rows(self, sent: Any) -> Any:
        (query,) = sent["queries"]
        self.spans.append((sent["from"], sent["to"]))
        assert query["datasource"]["uid"] == "tickhouse"
        try:
            columns = [list(column) for column in zip(*self.answer(query["rawSql"]), strict=True)]
        except Exception as error:  # as the plugin hands on the warehouse's words
            return {"results": {"A": {"error": str(error), "status": 500}}}
        return {"results": {"A": {"status": 200, "frames": [{"data": {"values": columns}}]}}}


def _handler(grafana: Grafana) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path.startswith("/d/"):
                return self._send(200, b"<h1>a board</h1>", "text/html")
            path = self.path.removeprefix("/api/")
            if path != "health" and self.headers["Authorization"] != f"Bearer {TOKEN}":
                return self._answer(401, {"message": "Invalid API key"})
            content = grafana.read(path)
            return self._answer(200 if content else 404, content or {"message": "not found"})

        def do_POST(self) -> None:
            sent = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            content = grafana.write(self.path.removeprefix("/api/"), sent)
            failed = any(r.get("error") for r in content.get("results", {}).values())
            self._answer(400 if failed else 200, content)

        def _answer(self, code: int, content: Any) -> None:
            self._send(code, json.dumps(content, default=str).encode(), "application/json")

        def _send(self, code: int, body: bytes, kind: str) -> None:
            self.send_response(code)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    return Handler


@pytest.fixture
def grafana() -> Iterator[Grafana]:
    """A running stand-in."""
    built = Grafana()
    thread = threading.Thread(target=built.server.serve_forever)
    thread.start()
    yield built
    built.server.shutdown()
    built.server.server_close()
    thread.join()
