"""Statements that a role may and may not run. Classes are the engine's own."""

import pytest

from adapters.clickhouse.embedded import policy
from core.errors import WarehouseError
from core.identity import User

FUNCTIONS = frozenset({"file", "url", "s3", "remote", "executable", "merge", "numbers", "view"})
HASH = "scrypt$1$1$1$00$00"
ANALYST, GRAFANA = User("ann", "analyst", HASH), User("g", "grafana", HASH)
WRITER, ADMIN = User("w", "writer", HASH), User("root", "admin", HASH)
RECORDER = User("r", "recorder", HASH)


def verdict(user: User, sql: str, classified: str = "READ_ONLY") -> int:
    try:
        policy.check(sql, user, classified, FUNCTIONS)
    except WarehouseError as error:
        return error.code
    return 0


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1",
        " /* c */ select 'file(', `a.b`, \"it''s\" FROM tick -- url(\n;",
        "WITH x AS (SELECT 1) SELECT * FROM x",
        "(SELECT 1) UNION ALL (SELECT 2)",
        "SELECT number FROM numbers(10)",
        "SELECT 'trader\u2019s $$ note'",
        "SELECT format('{}', 1), file, url FROM t",
        "SHOW TABLES",
        "EXPLAIN SELECT 1",
    ],
)
@pytest.mark.parametrize("user", [ANALYST, GRAFANA, WRITER])
def test_everybody_may_read(user: User, sql: str) -> None:
    assert verdict(user, sql) == 0


@pytest.mark.parametrize(
    ("sql", "code"),
    [
        ("SELECT * FROM file('/etc/passwd')", 497),
        ("SELECT file('/etc/passwd')", 497),
        ("SELECT `file` ('/etc/passwd')", 497),
        ("SELECT file/* hidden */('/etc/passwd')", 497),
        ("SELECT * FROM S3('x')", 497),
        ("SELECT * FROM url('http://x')", 497),
        ("SELECT * FROM remote('x', a.b)", 497),
        ("SELECT * FROM executable('x', TSV, 'a Int8')", 497),
        ("SELECT * FROM '/etc/passwd'", 497),
        ("SELECT * FROM `/etc/passwd`", 497),
        ("SELECT aiGenerate('x')", 497),
        ("SELECT 1 INTO OUTFILE '/tmp/x'", 497),
        ("SELECT 1; SELECT 2", 62),
        ("SELECT `fi\\x6ce`('/etc/passwd')", 62),
        ("SELECT $$'$$, file('/etc/passwd'), $$'$$", 62),
        ("SELECT \u2018'\u2019, file('/etc/passwd'), \u2018'\u2019", 62),
        ("SELECT 'never closed", 62),
    ],
)
@pytest.mark.parametrize("user", [ANALYST, WRITER])
def test_nobody_but_an_admin_reaches_outside(user: User, sql: str, code: int) -> None:
    assert verdict(user, sql) == code
    assert verdict(ADMIN, sql) == 0


@pytest.mark.parametrize(
    ("sql", "classified"),
    [
        ("SYSTEM SHUTDOWN", "CONTROL"),
        ("SYSTEM KILL", "CONTROL"),
        ("KILL QUERY WHERE 1", "CONTROL"),
        ("BACKUP DATABASE a TO File('x')", "CONTROL"),
        ("ATTACH TABLE a", "CONTROL"),
        ("CREATE USER a", "MUTATING_GLOBAL"),
        ("DROP DATABASE a", "MUTATING"),
        ("CREATE TABLE a (x Int8) ENGINE = File(CSV)", "MUTATING"),
        ("CREATE TABLE a (x Int8) ENGINE URL('http://x')", "MUTATING"),
        ("CREATE DICTIONARY a (x Int8) PRIMARY KEY x SOURCE(HTTP(URL 'x'))", "MUTATING"),
        ("INSERT INTO FUNCTION file('x') SELECT 1", "CONTROL"),
        ("INSERT INTO t FROM INFILE 'x' FORMAT CSV", "MUTATING"),
    ],
)
def test_the_server_itself_is_for_admins(sql: str, classified: str) -> None:
    assert verdict(WRITER, sql, classified) == 497
    assert verdict(ANALYST, sql, classified) in (164, 497)
    assert verdict(ADMIN, sql, classified) == 0


@pytest.mark.parametrize(
    ("sql", "classified"),
    [
        ("INSERT INTO t (a) ", "UNKNOWN"),
        ("INSERT INTO t SELECT 1", "MUTATING"),
        ("CREATE TABLE t (a Int8) ENGINE = ReplacingMergeTree ORDER BY a", "MUTATING"),
        ("CREATE TEMPORARY TABLE t (a Int8)", "CONTROL"),
        ("ALTER TABLE t DELETE WHERE 1", "MUTATING"),
        ("DROP TABLE t", "MUTATING"),
    ],
)
def test_a_writer_writes_and_an_analyst_does_not(sql: str, classified: str) -> None:
    assert verdict(WRITER, sql, classified) == 0
    assert verdict(ANALYST, sql, classified) == 164


def test_merge_goes_around_row_filters_so_only_writers_have_it() -> None:
    sql = "SELECT * FROM merge('tickhouse', 'tick')"
    assert (verdict(WRITER, sql), verdict(ANALYST, sql)) == (0, 497)


def test_limits_are_tightened_and_never_loosened() -> None:
    assert policy.bound(ANALYST, {})["max_execution_time"] == "60"
    assert policy.bound(ANALYST, {"max_execution_time": "5"})["max_execution_time"] == "5"
    assert policy.bound(ANALYST, {"max_execution_time": "0"})["max_execution_time"] == "60"
    assert policy.bound(ANALYST, {"max_memory_usage": str(2**40)})["max_memory_usage"] == str(2**31)
    own = User("ann", "analyst", HASH, {}, 2.5, 64)
    assert policy.bound(own, {})["max_execution_time"] == "2.5"
    assert policy.bound(own, {})["max_memory_usage"] == str(64 * 2**20)
    assert "max_execution_time" not in policy.bound(ADMIN, {})


def test_a_readers_bounds_cannot_be_set_away() -> None:
    user = User("ann", "analyst", HASH, {"tickhouse.tick": "symbol = 'EURUSD'"})
    asked = {"readonly": "0", "additional_table_filters": "{}", "use_query_cache": "1"}
    settings = policy.bound(user, asked)
    assert settings["readonly"] == "1"
    assert settings["use_query_cache"] == "0"
    assert settings["additional_table_filters"] == r"{'tickhouse.tick': 'symbol = \'EURUSD\''}"


def test_the_log_comment_names_the_user_in_front_of_the_clients_own() -> None:
    assert policy.bound(WRITER, {"log_comment": "dbt"})["log_comment"] == "user=w dbt"
    assert policy.bound(User("default", "admin", ""), {}) == {}


@pytest.mark.parametrize(
    "sql",
    [
        "ALTER TABLE order_event DELETE WHERE 1",
        "ALTER TABLE order_event UPDATE price = 1 WHERE 1",
        "DELETE FROM order_event WHERE 1",
        "TRUNCATE TABLE audit_event",
        "DROP TABLE audit_event",
        "OPTIMIZE TABLE order_event FINAL",
        "CREATE TABLE a (b Int8) ENGINE = Memory",
        "RENAME TABLE order_event TO x",
    ],
)
def test_a_recorder_adds_rows_and_changes_none(sql: str) -> None:
    assert verdict(RECORDER, "INSERT INTO audit_event (seq) FORMAT Native", "MUTATING") == 0
    assert verdict(RECORDER, "SELECT 1") == 0
    assert verdict(RECORDER, sql, "MUTATING") == 497


@pytest.mark.parametrize(
    "sql",
    ["ALTER TABLE tickhouse.`audit_event` DELETE WHERE 1", "EXCHANGE TABLES a AND audit_event",
     "DROP TABLE reference_party"],
)  # fmt: skip
def test_a_writer_only_adds_to_audit_tables(sql: str) -> None:
    assert verdict(WRITER, sql, "MUTATING") == 497
    assert verdict(WRITER, "ALTER TABLE tick DELETE WHERE 1", "MUTATING") == 0
