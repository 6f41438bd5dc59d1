"""What one HTTP request asks for: parameters of the protocol apart from settings."""

import itertools
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl

from warehouse.engine.connection import Context
from warehouse.protocol import statement as sql
from warehouse.protocol.multipart import ExternalTable

# Parameters of the protocol; every other one is a setting.
_PROTOCOL = frozenset(
    {
        *("query", "database", "default_format", "query_id", "session_id", "session_timeout"),
        *("session_check", "user", "password", "quota_key", "role", "compress", "decompress"),
        *("buffer_size", "wait_end_of_query", "client_protocol_version", "stacktrace"),
    }
)
# These end at this server: the engine would accept them and do nothing.
_OURS = frozenset({"async_insert", "wait_for_async_insert", "enable_http_compression"})
_IDENTITY = frozenset({"user", "password", "role", "quota_key"})
_OURS_PREFIX = "async_insert_"
_NUMBERS = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Request:
    """One request. Header names are in lower case."""

    method: str
    path: str
    parameters: dict[str, str]
    headers: Mapping[str, str]
    query_id: str
    tag: str

    def flag(self, name: str) -> bool:
        """Whether a parameter is switched on."""
        return self.parameters.get(name, "") in ("1", "true")

    @property
    def revision(self) -> int:
        """Native protocol revision the client reads; 0 for plain Native."""
        text = self.parameters.get("client_protocol_version", "")
        return int(text) if text.isdigit() else 0

    @property
    def is_empty(self) -> bool:
        """Whether its header says that it asks for nothing: no statement and no body."""
        sized = (
            self.headers.get("content-length", "0") != "0" or "transfer-encoding" in self.headers
        )
        return self.path == "/" and "query" not in self.parameters and not sized

    @property
    def boundary(self) -> str:
        """The content type, if the body is a form; else empty."""
        kind = self.headers.get("content-type", "")
        return kind if kind.startswith("multipart/form-data") else ""

    @property
    def values_apart(self) -> bool:
        """Whether what follows VALUES may travel as data: it holds no bound parameters."""
        return not any(name.startswith("param_") for name in self.parameters)

    def take_form(self, fields: Mapping[str, str]) -> None:
        """Fields of a form are parameters, but who asks and that a GET only reads are settled."""
        settled = _IDENTITY if self.method == "POST" else _IDENTITY | {"readonly"}
        self.parameters.update({k: v for k, v in fields.items() if k not in settled})

    def context(self, tables: tuple[ExternalTable, ...] = ()) -> Context:
        """Settings, database and parameters for the engine."""
        bound, settings = {}, {}
        for name, value in self.parameters.items():
            if name.startswith("param_"):
                bound[name.removeprefix("param_")] = value
            elif name not in _PROTOCOL | _OURS and not name.startswith(_OURS_PREFIX):
                settings[name] = value
        return Context(
            self.parameters.get("database") or self.headers.get("x-clickhouse-database", ""),
            settings,
            bound,
            self.parameters.get("default_format")
            or self.headers.get("x-clickhouse-format", "TabSeparated"),
            self.tag,
            tables,
        )


def parse(
    method: str, path: str, query_string: bytes, headers: list[tuple[bytes, bytes]]
) -> Request:
    """Read a request's first lines.

    Raises:
        ValueError: the URL is not UTF-8.
    """
    parameters = dict(parse_qsl(query_string.decode(), keep_blank_values=True))
    if method != "POST":
        parameters["readonly"] = "2"  # as ClickHouse does: a link somebody clicks changes nothing
    query_id = parameters.get("query_id") or str(uuid.uuid4())
    return Request(
        method,
        path,
        parameters,
        {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in headers},
        query_id,
        sql.tag(query_id, next(_NUMBERS)),
    )
