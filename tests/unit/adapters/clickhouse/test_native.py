"""Native blocks, checked byte by byte and against the engine itself."""

import numpy as np
import pytest

from adapters.clickhouse.native import FLOATS, PRICE, TEXT, TIME, Column, Runs, encode_block


def test_a_block_is_counts_then_name_type_and_values_per_column() -> None:
    block = encode_block([Column("n", "UInt16", np.array([1, 258], "<u2"))])
    assert block == b"\x01\x02\x01n\x06UInt16\x01\x00\x02\x01"


def test_a_constant_is_repeated_for_every_row() -> None:
    block = encode_block([Column("s", "String", "ab"), Column("n", "Int8", -1)], rows=2)
    assert block == b"\x02\x02\x01s\x06String\x02ab\x02ab\x01n\x04Int8\xff\xff"


def test_a_text_of_more_than_127_bytes_has_a_longer_length() -> None:
    block = encode_block([Column("s", "String", ["x" * 300])])
    assert block.endswith(b"\xac\x02" + b"x" * 300)


def test_a_string_may_be_any_bytes() -> None:
    block = encode_block([Column("s", "String", [b"\xff\x00", b""])])
    assert block.endswith(b"\x02\xff\x00\x00")


def test_a_dictionary_holds_each_text_once() -> None:
    block = encode_block([Column("s", TEXT, ["b", "a", "b"])])
    tail = block[block.index(TEXT.encode()) + len(TEXT) :]
    assert tail == (
        (1).to_bytes(8, "little")
        + (0x600).to_bytes(8, "little")
        + (2).to_bytes(8, "little")
        + b"\x01b\x01a"
        + (3).to_bytes(8, "little")
        + b"\x00\x01\x00"
    )


def test_runs_of_a_text_are_written_like_a_text_for_each_row() -> None:
    runs = Runs(("b", "a", "b"), (2, 1, 3))
    rows = ["b", "b", "a", "b", "b", "b"]
    assert list(runs) == rows
    for kind in (TEXT, "String"):
        assert encode_block([Column("s", kind, runs)]) == encode_block([Column("s", kind, rows)])


def test_a_large_dictionary_has_wider_indices() -> None:
    few = encode_block([Column("s", TEXT, [str(i) for i in range(200)])])
    many = encode_block([Column("s", TEXT, [str(i) for i in range(300)])])
    assert (0x600).to_bytes(8, "little") in few
    assert (0x601).to_bytes(8, "little") in many


@pytest.mark.parametrize(
    ("kind", "dtype"), [(TIME, "<i8"), (PRICE, "<i8"), ("Float32", "<f4"), ("Bool", "?")]
)
def test_numbers_are_copied_as_they_lie(kind: str, dtype: str) -> None:
    values = np.array([0, 1, 1], dtype)
    assert encode_block([Column("x", kind, values)]).endswith(values.tobytes())


def test_a_strided_column_is_written_row_by_row() -> None:
    table = np.array([(1, 2.5), (3, 4.5)], [("a", "<i8"), ("b", "<f8")])
    block = encode_block([Column("b", "Float64", table["b"])])
    assert block.endswith(np.array([2.5, 4.5]).tobytes())


def test_no_rows_make_an_empty_block() -> None:
    assert encode_block([Column("s", TEXT, [])]) == b"\x01\x00\x01s\x16" + TEXT.encode()


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ([Column("a", "Int64", np.zeros(2, "<i4"))], "takes int64, not int32"),
        ([Column("a", "Int64", np.zeros(2, "<i8")), Column("b", "String", ["x"])], "a 2, b 1"),
        ([Column("a", "String", "x")], "pass rows"),
        ([Column("a", "Map(String, String)", np.zeros(1))], "no encoding"),
        ([Column("a", "Int64", np.zeros(1, "<i8")), Column("b", TEXT, 5)], "takes strings"),
    ],
)
def test_what_does_not_fit_is_refused(columns: list[Column], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        encode_block(columns)


def test_a_matrix_is_an_array_per_row() -> None:
    matrix = np.arange(4, dtype=np.float32).reshape(2, 2)
    tail = encode_block([Column("m", FLOATS, matrix)])[-(2 * 8 + 4 * 4) :]
    assert np.frombuffer(tail[:16], "<u8").tolist() == [2, 4]
    assert tail[16:] == matrix.tobytes()
    for wrong in (np.zeros(2, np.float32), np.zeros((2, 2)), 1.0):
        with pytest.raises(ValueError, match="float32 matrix"):
            encode_block([Column("m", FLOATS, wrong)], rows=2)
