"""Inserts that survive a dying warehouse: the same block, the same token, until it is in.

A block's token is made from its bytes, so a repeat is recognised however the first try ended; the
tables recognise repeats by their keys as well, which is what correctness rests on. Never the
asynchronous inserts of ClickHouse: an acknowledged block is a stored one.

One writer keeps one HTTP connection and belongs to one thread.
"""

import hashlib
import http.client
import random
import socket
import threading
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from typing import Self
from urllib.parse import urlencode, urlsplit

from adapters.clickhouse.cluster import SETTINGS, cluster_of
from adapters.clickhouse.native import Column, encode_block
from core import tls
from core.errors import SettingsError, UnavailableError, WarehouseError
from core.exposition import Sample, expose
from core.sections import ClickhouseSettings

_TIMEOUT_S = 60.0
_FIRST_DELAY_S, _LAST_DELAY_S = 0.05, 2.0
# Codes by which ClickHouse says "not now": timeouts, too many queries or parts, memory, network,
# a full disk.
_LATER = frozenset({159, 202, 203, 209, 210, 241, 242, 243, 252, 319, 394, 999})
_DISK_FULL = "No space left on device"  # has a code of its own only before writing begins
_SETTINGS = {
    "async_insert": "0",
    "insert_deduplicate": "1",
    "deduplicate_blocks_in_dependent_materialized_views": "1",
}


def token_of(block: bytes) -> str:
    """A block's deduplication token: 32 hex digits of its content."""
    return hashlib.blake2b(block, digest_size=16).hexdigest()


def _connection(
    scheme: str, host: str, port: int | None, authority: str
) -> http.client.HTTPConnection:
    if scheme == "https":
        context = tls.trusting(authority)
        return http.client.HTTPSConnection(host, port, timeout=_TIMEOUT_S, context=context)
    return http.client.HTTPConnection(host, port, timeout=_TIMEOUT_S)


class Writer:
    """Synchronous inserts of Native blocks.

    Delivery: at least once, and the warehouse keeps one of repeats. `insert` returns only when the
    block is stored; while the warehouse does not answer it retries with back-off, for ever or
    until `stop` is set.
    """

    def __init__(self, settings: ClickhouseSettings, stop: threading.Event | None = None) -> None:
        url = urlsplit(settings.url)
        if url.scheme not in ("http", "https") or not url.hostname:
            raise SettingsError(
                f"TICKHOUSE_CLICKHOUSE__URL is {settings.url!r}: give http://host:port"
            )
        self._connection = _connection(url.scheme, url.hostname, url.port, settings.ca)
        self._settings = settings
        self._cluster = cluster_of(settings)
        self._everywhere = SETTINGS if self._cluster else {}
        self._stop = stop or threading.Event()
        self._headers = {
            "Content-Type": "application/octet-stream",
            "Authorization": "Basic "
            + b64encode(f"{settings.user}:{settings.password}".encode()).decode(),
        }
        self.blocks = self.bytes = self.retries = 0
        expose(self)

    def measured(self) -> Iterator[Sample]:
        """What was stored, and how often in vain."""
        yield Sample("tickhouse_warehouse_blocks_total", (), self.blocks)
        yield Sample("tickhouse_warehouse_bytes_total", (), self.bytes)
        yield Sample("tickhouse_warehouse_retries_total", (), self.retries)

    def insert(self, table: str, columns: Sequence[Column], token: str | None = None) -> None:
        """Store rows as one Native block; `token` defaults to `token_of` the block.

        Raises:
            WarehouseError: ClickHouse refused the block; nothing of it is stored.
            UnavailableError: `stop` was set before the block was in (it may be in or not).
        """
        block = encode_block(columns)
        path = self._path(table, [c.name for c in columns], token or token_of(block))
        self._insist(path, block, f"a block of {table} was in")
        self.blocks += 1
        self.bytes += len(block)

    def ask(self, sql: str, given: Mapping[str, str | int] | None = None) -> bytes:
        """The answer to a statement that may run twice, in the format it names.

        Args:
            given: the statement's parameters.

        Raises:
            WarehouseError: ClickHouse refused it.
            UnavailableError: `stop` was set before there was an answer.
        """
        parameters = {f"param_{name}": str(value) for name, value in (given or {}).items()}
        where = {"database": self._settings.database, **self._everywhere}
        path = "/?" + urlencode({**where, **parameters})
        for statement in self._cluster.statements(sql) if self._cluster else [sql]:
            answer = self._insist(path, statement.encode(), "there was an answer")
        return answer

    def _insist(self, path: str, body: bytes, what: str) -> bytes:
        delay = _FIRST_DELAY_S
        while True:
            try:
                return self._post(path, body)
            except UnavailableError as error:
                self.retries += 1
                if self._stop.wait(delay * random.uniform(0.5, 1.0)):  # noqa: S311 - spreads retries
                    raise UnavailableError(f"stopped before {what}: {error}") from error
                delay = min(delay * 2, _LAST_DELAY_S)

    def raise_if_stopped(self) -> None:
        """Raises UnavailableError when `stop` was set."""
        if self._stop.is_set():
            raise UnavailableError("stopped before it was this writer's turn")

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _path(self, table: str, columns: Sequence[str], token: str) -> str:
        names = ", ".join(f"`{name}`" for name in columns)
        parameters = {
            "query": f"INSERT INTO `{table}` ({names}) FORMAT Native",
            "database": self._settings.database,
            "insert_deduplication_token": token,
            **_SETTINGS,
            **self._everywhere,
        }
        return "/?" + urlencode(parameters)

    def _post(self, path: str, block: bytes) -> bytes:
        try:
            if self._connection.sock is None:
                self._connect()
            self._connection.request("POST", path, block, self._headers)
            response = self._connection.getresponse()
            answer = response.read()
        except (OSError, http.client.HTTPException) as error:
            self._connection.close()
            address = f"{self._connection.host}:{self._connection.port}"
            said = tls.why(error) or error
            raise UnavailableError(f"the warehouse at {address} does not answer: {said}") from error
        if response.status == 200:
            return answer
        text = answer.decode(errors="replace").strip()
        code = int(response.headers.get("X-ClickHouse-Exception-Code") or 0)
        unnamed = code == 0 and response.status in (429, 502, 503, 504)
        if code in _LATER or unnamed or _DISK_FULL in text:
            raise UnavailableError(f"the warehouse is busy: HTTP {response.status} {text}")
        raise WarehouseError(text or f"HTTP {response.status}", code)

    def _connect(self) -> None:
        self._connection.connect()
        # Without this the request's head and body wait for each other's acknowledgement (40 ms).
        self._connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
