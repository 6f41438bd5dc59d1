"""Splits an INSERT into its SQL and the data that follows it.

The data of an INSERT may be binary and must never reach the engine inside the SQL string, which
it would cut silently. So the end of the SQL is found here, by a scan that knows quotes and
comments, and the two travel separately.
"""

import re
from dataclasses import dataclass
from urllib.parse import quote

_TOKEN = re.compile(
    rb"(?P<space>\s+|--[^\n]*|\#![^\n]*|/\*.*?\*/)"
    rb"|'(?:[^'\\]|\\.|'')*'|`(?:[^`\\]|\\.)*`|\"(?:[^\"\\]|\\.)*\""
    rb"|(?P<word>\w+)|.",
    re.DOTALL,
)
_AFTER_FORMAT = re.compile(rb"[ \t\r\f\v]*;?[ \t\r\f\v]*\n?")
_FORMAT_AT_END = re.compile(
    r"\bFORMAT\s+(\w+)\s*(?:SETTINGS\b.*)?;?\s*\Z", re.IGNORECASE | re.DOTALL
)

_HEAD = 65536  # the first word stands within this
_CLIENT_ID = r"decodeURLComponent(extract(query, '/\\*query_id=(\\S*) request='))"


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement. `data` and `input_format` are set for an INSERT that brings data."""

    sql: str
    input_format: str = ""
    data: bytes = b""


def split(query: bytes, body: bytes, values_apart: bool = False) -> Statement:
    """The statement of a request: `query` from its URL (may be empty), `body` as decompressed.

    values_apart: what follows VALUES is data too. Such data may be cut anywhere and be larger
    than memory, but cannot hold bound parameters.
    The SQL need not be UTF-8: a literal may hold any bytes, which stay as they are (surrogates).
    """
    if not query:
        if _is_insert(body):
            return _split_insert(body, b"", values_apart)
        return Statement(_text(body))
    if _is_insert(query):
        return _split_insert(query, body, values_apart)
    return Statement(_text(query + b"\n" + body if body else query))


def first_word(sql: str) -> str:
    """The statement's first word in capitals."""
    for token in _TOKEN.finditer(_bytes(sql[:_HEAD])):
        if token["space"] is None:
            return token[0].decode(errors="replace").upper()
    return ""


def without_format(sql: str) -> str:
    """A query without its FORMAT clause and final semicolon, to stand in parentheses."""
    return _FORMAT_AT_END.sub("", sql).rstrip().removesuffix(";")


def names_query_id(sql: str) -> str:
    """KILL QUERY with the client's query ids: they stand in the comment that tags a statement."""
    if first_word(sql) != "KILL":
        return sql
    return "".join(
        _CLIENT_ID if token["word"] and token[0].lower() == b"query_id" else _text(token[0])
        for token in _TOKEN.finditer(_bytes(sql))
    )


def tag(query_id: str, number: int) -> str:
    """The comment that carries a client's query id; `number` makes it unique."""
    return f"/*query_id={quote(query_id, safe='')} request={number}*/"


def balanced(values: bytes) -> bool:
    """Whether data for VALUES is whole rows: parentheses closed, no quote left open."""
    depth = 0
    for token in _TOKEN.finditer(values):
        text = token[0]
        if text in (b"'", b"`", b'"', b";") or token["space"] not in (None, b" ", b"\n"):
            return False
        depth += {b"(": 1, b")": -1}.get(text, 0)
        if depth < 0 or (depth == 0 and token["word"]):
            return False
    return depth == 0


def output_format(sql: str, default: str) -> str:
    """The format a statement's answer comes in."""
    match = _FORMAT_AT_END.search(sql)
    return match[1] if match else default


def _text(sql: bytes) -> str:
    return sql.decode("utf-8", "surrogateescape")


def _bytes(sql: str) -> bytes:
    return sql.encode("utf-8", "surrogateescape")


def _is_insert(text: bytes) -> bool:
    for token in _TOKEN.finditer(text):
        if token["space"] is None:
            return token[0].upper() == b"INSERT"
    return False


def _split_insert(text: bytes, data: bytes, values_apart: bool) -> Statement:
    # VALUES, SELECT, WITH or FORMAT follow the column list and stand outside parentheses.
    depth, tokens = 0, _TOKEN.finditer(text)
    for token in tokens:
        depth += {b"(": 1, b")": -1}.get(token[0], 0)
        word = (token["word"] or b"").upper()
        if depth or word not in (b"VALUES", b"SELECT", b"WITH", b"FORMAT"):
            continue
        if word == b"VALUES" and values_apart:
            head = _text(text[: token.start()])
            return Statement(head, "Values", text[token.end() :] + data)
        if word != b"FORMAT":
            return Statement(_text(text + b"\n" + data if data else text))
        name = next((t for t in tokens if t["word"]), None)
        if name is None:
            break
        gap = _AFTER_FORMAT.match(text, name.end())
        rest = text[gap.end() if gap else name.end() :]
        return Statement(_text(text[: token.start()]), name[0].decode(), rest + data)
    return Statement(_text(text), "Values", data)
