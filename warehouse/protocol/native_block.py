"""Walks ClickHouse's Native blocks column by column without decoding a value.

Two jobs need to know where a column ends: a block for clickhouse-go carries a byte before each
column's data that chDB does not write, and a small insert may share a statement with others only
if its own blocks are complete (a cut one would swallow its neighbour's rows).
"""

import re
from collections.abc import Callable, Iterator
from itertools import pairwise

_WIDTH = {
    **dict.fromkeys(("Bool", "UInt8", "Int8", "Enum8", "Nothing"), 1),
    **dict.fromkeys(("UInt16", "Int16", "Enum16", "Date", "BFloat16"), 2),
    **dict.fromkeys(("UInt32", "Int32", "Float32", "DateTime", "Date32", "IPv4", "Time"), 4),
    **dict.fromkeys(("UInt64", "Int64", "Float64", "DateTime64", "Time64"), 8),
    **dict.fromkeys(("UInt128", "Int128", "UUID", "IPv6"), 16),
    **dict.fromkeys(("UInt256", "Int256"), 32),
}
_GEOMETRY = {
    "Point": ("Tuple", "Float64, Float64"),
    **dict.fromkeys(("Ring", "LineString"), ("Array", "Point")),
    **dict.fromkeys(("Polygon", "MultiLineString"), ("Array", "Ring")),
    "MultiPolygon": ("Array", "Polygon"),
}
_HEAD = re.compile(r"(\w+)(?:\((.*)\))?\Z", re.DOTALL)
_FIELD_NAME = re.compile(r"(?:\w+|`(?:[^`\\]|\\.)*`) (?=[A-Z])")
_HAS_KEYS = 1 << 9
_BARE_TIME = b"\x08DateTime"
_BLOCK_INFO = b"\x01\x00\x02\xff\xff\xff\xff\x00"  # no overflow rows, no bucket
_WITH_BLOCK_INFO = 51903
_WITH_TIME_ZONES = 54337  # before it DateTime('UTC') is sent as DateTime, which is what chDB writes
_WITH_CUSTOM_SERIALISATION = 54454


def revise(data: bytes, revision: int, types: Callable[[], list[str]] = list) -> bytes:
    """Blocks as a server writes them for a client of this protocol revision.

    Args:
        data: whole blocks; exactly one if it has columns of types that are not walked here.
        revision: the client's.
        types: asks for the columns' types with their time zones; called when a column needs it.

    Raises:
        ValueError: a column's type is not walked here and the revision needs it, or the blocks
            are not complete.
    """
    if revision < _WITH_BLOCK_INFO or not data:
        return data
    marked = revision >= _WITH_CUSTOM_SERIALISATION
    if not marked and not (revision >= _WITH_TIME_ZONES and _BARE_TIME in data):
        return _with_info(data)
    try:
        return _rewritten(data, b"\x00" if marked else b"", types)
    except ValueError:
        if marked:
            raise
        return _with_info(data)


def _rewritten(data: bytes, mark: bytes, types: Callable[[], list[str]]) -> bytes:
    pieces: list[bytes] = []
    for head, columns in _blocks(data):
        pieces += (_BLOCK_INFO, head)
        for at, (name_and_type, values) in enumerate(columns):
            pieces += (_zoned(name_and_type, at, types), mark, values)
    return b"".join(pieces)


def _with_info(data: bytes) -> bytes:
    try:
        ends = list(_ends(data))
    except ValueError:
        return _BLOCK_INFO + data  # of a type that is not walked: the caller says it is one block
    return b"".join(_BLOCK_INFO + data[start:end] for start, end in pairwise([0, *ends]))


def _ends(data: bytes) -> Iterator[int]:
    end = 0
    for head, columns in _blocks(data):
        end += len(head) + sum(len(name) + len(values) for name, values in columns)
        yield end


def _zoned(name_and_type: bytes, at: int, types: Callable[[], list[str]]) -> bytes:
    if not name_and_type.endswith(_BARE_TIME):
        return name_and_type
    known = types()
    full = known[at] if at < len(known) else ""
    if not full.startswith("DateTime("):
        return name_and_type
    return name_and_type.removesuffix(_BARE_TIME) + _encoded(full)


def complete(data: bytes) -> bool:
    """Whether these are whole blocks of types known here and nothing more."""
    try:
        return sum(1 for _ in _blocks(data)) > 0
    except ValueError:
        return False


def header(columns: list[tuple[str, str]]) -> bytes:
    """A block of no rows: (name, type) of each column."""
    texts = [_encoded(text) for column in columns for text in column]
    return b"".join((_number(len(columns)), b"\x00", *texts))


def _blocks(data: bytes) -> Iterator[tuple[bytes, list[tuple[bytes, bytes]]]]:
    position = 0
    while position < len(data):
        start = position
        count, position = _varint(data, position)
        rows, position = _varint(data, position)
        head, columns = data[start:position], []
        for _ in range(count):
            start = position
            _, position = _text(data, position)
            kind, position = _text(data, position)
            end = _skip(data, position, kind, rows) if rows else position
            columns.append((data[start:position], data[position:end]))
            position = end
        yield head, columns


def _skip(data: bytes, position: int, kind: str, rows: int) -> int:
    """Where a column's data ends: prefixes of nested types first, then values."""
    position = _skip_prefix(data, position, kind)
    position = _skip_values(data, position, kind, rows)
    if position > len(data):
        raise ValueError(f"a Native block ends within a column of type {kind}")
    return position


def _skip_prefix(data: bytes, position: int, kind: str) -> int:
    name, inner = _parse(kind)
    if name == "LowCardinality":
        return position + 8
    if name == "Variant":
        position += 8  # how its discriminators are written
    if name in ("Array", "Nullable", "Tuple", "Map", "Variant", "SimpleAggregateFunction"):
        for part in _inner_types(name, inner):
            position = _skip_prefix(data, position, part)
    return position


def _skip_values(data: bytes, position: int, kind: str, rows: int) -> int:
    name, inner = _parse(kind)
    width = _WIDTH.get(name) or _declared_width(name, inner)
    if width:
        return position + width * rows
    walk = _WALKS.get(name)
    if walk is None:
        raise ValueError(
            f"Native for protocol revisions above 0 is not served for type {kind}: "
            "convert it in the query (for example finalizeAggregation or toString)"
        )
    return walk(data, position, inner, rows)


def _declared_width(name: str, inner: str) -> int:
    if name == "FixedString":
        return int(inner)
    if name.startswith("Interval"):
        return 8
    if name.startswith("Decimal"):
        digits = int(inner.partition(",")[0])
        return next(
            width for limit, width in ((9, 4), (18, 8), (38, 16), (76, 32)) if digits <= limit
        )
    return 0


def _strings(data: bytes, position: int, inner: str, rows: int) -> int:
    for _ in range(rows):
        length = data[position] if position < len(data) else 0
        if length < 0x80:
            position += 1 + length
        else:
            length, position = _varint(data, position)
            position += length
    return position


def _nullable(data: bytes, position: int, inner: str, rows: int) -> int:
    return _skip_values(data, position + rows, inner, rows)


def _array(data: bytes, position: int, inner: str, rows: int) -> int:
    end = position + 8 * rows
    total = int.from_bytes(data[end - 8 : end], "little") if rows else 0
    return _skip_values(data, end, inner, total) if total else end


def _map(data: bytes, position: int, inner: str, rows: int) -> int:
    return _array(data, position, f"Tuple({inner})", rows)


def _tuple(data: bytes, position: int, inner: str, rows: int) -> int:
    if not inner:
        return position + rows
    for part in _inner_types("Tuple", inner):
        position = _skip_values(data, position, part, rows)
    return position


def _variant(data: bytes, position: int, inner: str, rows: int) -> int:
    # One byte per row says which of the types it has; then the values of each type together.
    which = data[position : position + rows]
    position += rows
    for number, part in enumerate(_inner_types("Variant", inner)):
        if count := which.count(number):
            position = _skip_values(data, position, part, count)
    return position


def _simple(data: bytes, position: int, inner: str, rows: int) -> int:
    return _skip_values(data, position, _inner_types("SimpleAggregateFunction", inner)[0], rows)


def _low_cardinality(data: bytes, position: int, inner: str, rows: int) -> int:
    if not rows:
        return position
    flags = int.from_bytes(data[position : position + 8], "little")
    position += 8
    if flags & _HAS_KEYS:
        keys = int.from_bytes(data[position : position + 8], "little")
        bare = inner[len("Nullable(") : -1] if inner.startswith("Nullable(") else inner
        position = _skip_values(data, position + 8, bare, keys)
    count = int.from_bytes(data[position : position + 8], "little")
    return position + 8 + (count << (flags & 0xFF))


_WALKS: dict[str, Callable[[bytes, int, str, int], int]] = {
    "String": _strings,
    "Nullable": _nullable,
    "Array": _array,
    "Map": _map,
    "Tuple": _tuple,
    "Variant": _variant,
    "LowCardinality": _low_cardinality,
    "SimpleAggregateFunction": _simple,
}


def _parse(kind: str) -> tuple[str, str]:
    match = _HEAD.match(kind)
    if match is None:
        raise ValueError(f"{kind!r} is no type: the Native block is damaged")
    name, inner = match[1], match[2] or ""
    if name == "Nested":
        return "Array", f"Tuple({inner})"
    return _GEOMETRY.get(name, (name, inner))


def _inner_types(name: str, inner: str) -> list[str]:
    parts, depth, start = [], 0, 0
    for i, letter in enumerate(inner):
        depth += (letter == "(") - (letter == ")")
        if letter == "," and depth == 0:
            parts.append(inner[start:i].strip())
            start = i + 1
    parts.append(inner[start:].strip())
    if name == "SimpleAggregateFunction":
        return parts[1:]
    return [_FIELD_NAME.sub("", part, count=1) for part in parts if part]


def _varint(data: bytes, position: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        if position >= len(data):
            raise ValueError("a Native block ends within a number")
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
        shift += 7


def _text(data: bytes, position: int) -> tuple[str, int]:
    length, position = _varint(data, position)
    if position + length > len(data):
        raise ValueError("a Native block ends within a name")
    return data[position : position + length].decode(), position + length


def _encoded(text: str) -> bytes:
    data = text.encode()
    return _number(len(data)) + data


def _number(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes((*out, value))
