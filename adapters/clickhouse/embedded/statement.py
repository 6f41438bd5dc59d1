"""Splits an INSERT into its SQL and the data that follows it.

The data of an INSERT may be binary and must never reach the engine inside the SQL string, which
it would cut silently. So the end of the SQL is found here, by a scan that knows quotes and
comments, and the two travel separately.
"""

import re
from dataclasses import dataclass

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


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement. `data` and `input_format` are set for an INSERT that brings data."""

    sql: str
    input_format: str = ""
    data: bytes = b""


def split(query: bytes, body: bytes) -> Statement:
    """The statement of a request: `query` from its URL (may be empty), `body` as decompressed.

    Raises:
        UnicodeDecodeError: the SQL is not UTF-8.
    """
    if not query:
        return _split_insert(body, b"") if _is_insert(body) else Statement(body.decode())
    if _is_insert(query):
        return _split_insert(query, body)
    return Statement((query + b"\n" + body).decode() if body else query.decode())


def output_format(sql: str, default: str) -> str:
    """The format a statement's answer comes in."""
    match = _FORMAT_AT_END.search(sql)
    return match[1] if match else default


def _is_insert(text: bytes) -> bool:
    for token in _TOKEN.finditer(text):
        if token["space"] is None:
            return token[0].upper() == b"INSERT"
    return False


def _split_insert(text: bytes, data: bytes) -> Statement:
    # VALUES, SELECT, WITH or FORMAT follow the column list and stand outside parentheses.
    depth, tokens = 0, _TOKEN.finditer(text)
    for token in tokens:
        depth += {b"(": 1, b")": -1}.get(token[0], 0)
        word = (token["word"] or b"").upper()
        if depth or word not in (b"VALUES", b"SELECT", b"WITH", b"FORMAT"):
            continue
        if word != b"FORMAT":
            return Statement((text + b"\n" + data if data else text).decode())
        name = next((t for t in tokens if t["word"]), None)
        if name is None:
            break
        gap = _AFTER_FORMAT.match(text, name.end())
        rest = text[gap.end() if gap else name.end() :]
        return Statement(text[: token.start()].decode(), name[0].decode(), rest + data)
    return Statement(text.decode(), "Values", data)
