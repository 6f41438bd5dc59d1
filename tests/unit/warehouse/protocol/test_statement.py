"""Where the SQL of an INSERT ends and its data begins."""

import pytest

from warehouse.protocol.statement import Statement, output_format, split


@pytest.mark.parametrize(
    ("query", "body", "expected"),
    [
        (b"", b"SELECT 1", Statement("SELECT 1")),
        (b"SELECT 1", b"", Statement("SELECT 1")),
        (b"SELECT", b"1", Statement("SELECT\n1")),
        (b"", b"INSERT INTO t SELECT 1", Statement("INSERT INTO t SELECT 1")),
        (b"", b"INSERT INTO t VALUES (1)", Statement("INSERT INTO t VALUES (1)")),
        (b"INSERT INTO t VALUES", b"(1)", Statement("INSERT INTO t VALUES\n(1)")),
        (b"INSERT INTO t", b"(1)", Statement("INSERT INTO t", "Values", b"(1)")),
        (
            b"",
            b"INSERT INTO t (a) FORMAT Native\n\x01\xff",
            Statement("INSERT INTO t (a) ", "Native", b"\x01\xff"),
        ),
        (
            b"insert into t format Native",
            b"\nx",
            Statement("insert into t ", "Native", b"\nx"),
        ),
        (
            b"",
            b'/* SELECT */ -- FORMAT\nINSERT INTO `FORMAT` (`values`, "format") FORMAT CSV \n1',
            Statement(
                '/* SELECT */ -- FORMAT\nINSERT INTO `FORMAT` (`values`, "format") ', "CSV", b"1"
            ),
        ),
        (
            b"",
            b"INSERT INTO t (a, format) FORMAT TSV\n\n1",
            Statement("INSERT INTO t (a, format) ", "TSV", b"\n1"),
        ),
        (
            b"",
            b"INSERT INTO t SETTINGS x = 'FORMAT y' FORMAT TSV\n1",
            Statement("INSERT INTO t SETTINGS x = 'FORMAT y' ", "TSV", b"1"),
        ),
    ],
)
def test_sql_and_data_are_told_apart(query: bytes, body: bytes, expected: Statement) -> None:
    assert split(query, body) == expected


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT 1", "TSV"),
        ("SELECT 1\n FORMAT Native", "Native"),
        ("SELECT 1 format JSON;", "JSON"),
        ("SELECT 1 FORMAT CSV SETTINGS max_threads = 1", "CSV"),
        ("SELECT 'FORMAT x'", "TSV"),
    ],
)
def test_the_answers_format_is_the_statements_or_the_default(sql: str, expected: str) -> None:
    assert output_format(sql, "TSV") == expected
