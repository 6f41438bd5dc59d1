"""Native blocks as the engine writes them, walked to their end."""

import chdb
import numpy as np
import pytest

from adapters.clickhouse.native import Column, encode_block
from warehouse.protocol import native_block

EXPRESSIONS = [
    "number::UInt16",
    "toString(number)",
    "repeat('x', number * 3)",
    "toLowCardinality(toString(number % 300))",
    "toLowCardinality(if(number % 2 = 0, NULL, toString(number)))",
    "toDateTime64(number, 6, 'UTC')",
    "toDecimal64(number, 8)",
    "toDecimal128(number, 20)",
    "[number, number]::Array(Float32)",
    "arrayMap(x -> toLowCardinality(toString(x)), range(number % 3))",
    "toNullable(number)",
    "map('a', number, 'b', 1)",
    "(number, 'x', [toString(number)])::Tuple(a UInt64, `b c` String, d Array(String))",
    "toFixedString('abc', 5)",
    "CAST(1 AS Enum8('(,' = 1))",
    "generateUUIDv4()",
    "number = 1",
    "toIntervalDay(1)",
    "()",
    "CAST(number AS SimpleAggregateFunction(max, UInt64))",
]


def native(expression: str, rows: int) -> bytes:
    sql = f"SELECT {expression} AS x, 7::UInt8 AS last FROM numbers({rows})"
    return bytes(chdb.query(sql, "Native").bytes())


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_a_column_of_every_type_is_walked_to_its_end(expression: str) -> None:
    data = native(expression, 1000)
    assert native_block.complete(data)
    assert not native_block.complete(data[:-1])
    assert not native_block.complete(data + b"\1")
    revised = native_block.revise(data, 54454)
    blocks = data.count(b"\x04last\x05UInt8")
    assert len(revised) == len(data) + blocks * (8 + 2)
    assert revised.startswith(b"\x01\x00\x02\xff\xff\xff\xff\x00" + data[:3])
    assert native_block.revise(data, 0) == data


def test_a_state_is_refused_with_a_remedy() -> None:
    data = native("initializeAggregation('sumState', 1)", 3)
    with pytest.raises(ValueError, match="finalizeAggregation"):
        native_block.revise(data, 54460)


def test_a_header_is_a_block_without_rows() -> None:
    columns = [Column("a", "Int64", np.empty(0)), Column("ä", "String", [])]
    expected = encode_block(columns)
    assert native_block.header([("a", "Int64"), ("ä", "String")]) == expected
    assert native_block.complete(expected)


def test_nothing_is_no_block() -> None:
    assert not native_block.complete(b"")
