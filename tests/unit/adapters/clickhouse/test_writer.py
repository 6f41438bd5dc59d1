"""The writer against a small HTTP server that answers as it is told."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest

from adapters.clickhouse.background import BackgroundWriter
from adapters.clickhouse.native import Column, encode_block
from adapters.clickhouse.writer import Writer, token_of
from core.errors import SettingsError, UnavailableError, WarehouseError
from core.sections import ClickhouseSettings


def row(text: object) -> list[Column]:
    """One row of one column."""
    return [Column("a", "String", [str(text)])]


def block(text: object) -> bytes:
    """What is sent for it."""
    return encode_block(row(text))


BLOCK = row("block")

Answer = tuple[int, str, bytes]  # status, exception code, text
OK: Answer = (200, "", b"")


class Server(HTTPServer):
    """Answers from a list (the last one for ever) and keeps what it was asked."""

    answers: list[Answer]

    def __init__(self, answers: list[Answer]) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers, self.requests, self.connections = answers, [], 0
        self.gate = threading.Event()
        self.gate.set()

    def get_request(self):
        self.connections += 1
        return super().get_request()

    @property
    def settings(self) -> ClickhouseSettings:
        return ClickhouseSettings(url=f"http://127.0.0.1:{self.server_address[1]}")


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.gate.wait()
        query = {k: v[0] for k, v in parse_qs(urlsplit(self.path).query).items()}
        self.server.requests.append((query, body))
        answers = self.server.answers
        status, code, text = answers.pop(0) if len(answers) > 1 else answers[0]
        self.send_response(status)
        if code:
            self.send_header("X-ClickHouse-Exception-Code", code)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    servers: list[Server] = []

    def start(*answers: Answer) -> Server:
        server = Server(list(answers) or [OK])
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return server

    yield start
    for server in servers:
        server.gate.set()
        server.shutdown()
        server.server_close()


@contextmanager
def background(settings: ClickhouseSettings, blocks: int = 8) -> Iterator[BackgroundWriter]:
    writer = BackgroundWriter(settings, blocks=blocks)
    yield writer
    try:
        writer.close()
    except WarehouseError:
        return


def test_an_insert_is_synchronous_and_carries_the_contents_token(serve) -> None:
    server = serve()
    with Writer(server.settings) as writer:
        writer.insert("tick", [Column("a", "String", ["x"]), Column("b", "Int8", 1)])
    query, body = server.requests[0]
    assert body == encode_block([Column("a", "String", ["x"]), Column("b", "Int8", 1)])
    assert query == {
        "query": "INSERT INTO `tick` (`a`, `b`) FORMAT Native",
        "database": "tickhouse",
        "insert_deduplication_token": token_of(body),
        "async_insert": "0",
        "insert_deduplicate": "1",
        "deduplicate_blocks_in_dependent_materialized_views": "1",
    }


def test_inserts_share_one_connection(serve) -> None:
    server = serve()
    with Writer(server.settings) as writer:
        for _ in range(5):
            writer.insert("tick", BLOCK)
    assert (server.connections, writer.blocks, writer.bytes) == (1, 5, 5 * len(encode_block(BLOCK)))


@pytest.mark.parametrize("answer", [(503, "", b"busy"), (500, "241", b"memory"), (500, "252", b"")])
def test_not_now_is_retried_with_the_same_token(serve, answer: Answer) -> None:
    server = serve(answer, answer, OK)
    with Writer(server.settings) as writer:
        writer.insert("tick", BLOCK, "token")
    assert [q["insert_deduplication_token"] for q, _ in server.requests] == ["token"] * 3
    assert writer.retries == 2


def test_a_refused_block_is_an_error_with_its_code(serve) -> None:
    server = serve((404, "60", b"Code: 60. no table"))
    with Writer(server.settings) as writer, pytest.raises(WarehouseError, match="no table") as got:
        writer.insert("tick", BLOCK)
    assert got.value.code == 60
    assert len(server.requests) == 1


def test_a_stopped_writer_does_not_retry_for_ever() -> None:
    stop = threading.Event()
    stop.set()
    settings = ClickhouseSettings(url="http://127.0.0.1:1")
    with Writer(settings, stop) as writer, pytest.raises(UnavailableError, match="block of tick"):
        writer.insert("tick", BLOCK)


def test_a_missing_url_names_the_setting() -> None:
    with pytest.raises(SettingsError, match="TICKHOUSE_CLICKHOUSE__URL"):
        Writer(ClickhouseSettings())


def test_flush_waits_until_all_blocks_are_stored_in_order(serve) -> None:
    server = serve()
    with background(server.settings) as writer:
        for number in range(20):
            writer.put("tick", row(number))
        writer.flush()
        assert [body for _, body in server.requests] == [block(n) for n in range(20)]
        assert writer.stored == (20, sum(len(block(n)) for n in range(20)), 0)


def test_a_full_queue_makes_the_producer_wait(serve) -> None:
    server = serve()
    server.gate.clear()
    with background(server.settings, blocks=2) as writer:
        done = threading.Event()

        def produce() -> None:
            for _ in range(6):
                writer.put("tick", row("x"))
            done.set()

        threading.Thread(target=produce, daemon=True).start()
        assert not done.wait(0.2)
        server.gate.set()
        assert done.wait(30)


def test_after_a_refusal_nothing_more_is_written_and_everyone_hears_of_it(serve) -> None:
    server = serve(OK, (400, "27", b"Code: 27. bad block"), OK)
    with background(server.settings) as writer:
        for number in range(3):
            writer.put("tick", row(number))
        with pytest.raises(WarehouseError, match="bad block"):
            writer.flush()
        with pytest.raises(WarehouseError, match="bad block"):
            writer.put("tick", row(4))
    assert [body for _, body in server.requests] == [block(0), block(1)]
