"""What becomes of statements, by role, and of attacks that were once let through."""

import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.errors import WarehouseError
from core.identity import Role, User
from warehouse.access.gate import Gate
from warehouse.engine.connection import Context
from warehouse.engine.engine import Chdb
from warehouse.protocol.statement import Statement, split

TABLE = tomllib.loads(Path(__file__).with_name("statements.toml").read_text("utf-8"))["table"]
HASH = "scrypt$1$1$1$00$00"
ROLES: tuple[Role, ...] = ("analyst", "recorder", "writer")
ROWS = [
    (role, statement, code)
    for part in TABLE
    for statement in part["statements"]
    for role, code in zip(ROLES, part["codes"], strict=True)
]


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chdb]:
    engine = Chdb(tmp_path_factory.mktemp("statements") / "warehouse")
    try:
        yield engine
    finally:
        engine.close()


@pytest.fixture(scope="module")
def gate(engine: Chdb, tmp_path_factory: pytest.TempPathFactory) -> Gate:
    return Gate(tmp_path_factory.mktemp("nobody") / "identity.json", engine.parser)


def verdict(gate: Gate, user: User, statement: Statement | str, context: Context) -> int:
    stated = Statement(statement) if isinstance(statement, str) else statement
    try:
        gate.grant(user).context(stated, context)
    except WarehouseError as error:
        return error.code
    return 0


@pytest.mark.parametrize("role", ROLES)
def test_each_role_has_what_the_table_says(gate: Gate, role: Role) -> None:
    user, context = User("u", role, HASH), Context("tickhouse")
    wrong = [
        (statement, code, got)
        for who, statement, code in ROWS
        if who == role
        and (got := verdict(gate, user, split(statement.encode(), b""), context)) != code
    ]
    assert not wrong
    assert verdict(gate, User("root", "admin", HASH), "SYSTEM DROP MARK CACHE", context) == 0


WITHOUT_DATABASE = [
    ("SELECT * FROM mine", 0),
    ("WITH x AS (SELECT 1) SELECT * FROM x", 0),
    ("INSERT INTO mine SELECT 1", 0),
    ("CREATE TEMPORARY TABLE mine (a Int8)", 0),
    ("DROP TABLE mine", 0),
    ("SELECT * FROM `data.csv`", 497),
    ("SELECT * FROM `../data`", 497),
    ("SELECT 1 IN `data.csv`", 497),
    ("INSERT INTO `data.csv` SELECT 1", 497),
    ("CREATE TABLE mine (a Int8) ENGINE = Memory", 497),
    ("CREATE OR REPLACE TABLE mine (a Int8) ENGINE = Memory", 497),
    ("CREATE OR REPLACE VIEW mine AS SELECT 1", 497),
    ("CREATE TABLE tickhouse.mine AS `data.csv`", 497),
    ("TRUNCATE TABLE audit_event", 497),
]


@pytest.mark.parametrize("database", ["", "default"])
@pytest.mark.parametrize(("statement", "code"), WITHOUT_DATABASE)
def test_names_without_a_database_are_tables_of_the_session(
    gate: Gate, statement: str, code: int, database: str
) -> None:
    assert verdict(gate, User("w", "writer", HASH), statement, Context(database)) == code


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("dialect", "kusto"),
        ("additional_table_filters", "{'tickhouse.tick': 'file()'}"),
        ("output_format_schema", "/tmp/never"),
        ("format_schema", "/etc/passwd"),
        ("http_allow_table_as_file", "1"),
        ("log_queries", "0"),
        ("no_such_setting", "1"),
    ],
)
def test_settings_of_the_request_are_held_to_the_list(gate: Gate, name: str, value: str) -> None:
    context = Context("tickhouse", {name: value})
    assert verdict(gate, User("w", "writer", HASH), "SELECT 1", context) == 497
    assert verdict(gate, User("w", "writer", HASH), "SELECT 1", Context("tickhouse")) == 0


def test_what_a_statement_is_remembered_for_does_not_pass_to_another_user(gate: Gate) -> None:
    sql, context = "DROP TABLE tickhouse.once", Context()
    for _ in range(2):
        assert verdict(gate, User("w", "writer", HASH), sql, context) == 0
        assert verdict(gate, User("a", "analyst", HASH), sql, context) == 164
        assert verdict(gate, User("r", "recorder", HASH), sql, context) == 497


def test_a_bound_name_is_judged_anew_each_time(gate: Gate) -> None:
    user, sql = User("a", "analyst", HASH), "SELECT * FROM tickhouse.{t:Identifier}"
    for value, code in (("tick", 0), ("../x", 497), ("tick", 0)):
        assert verdict(gate, user, sql, Context("", {}, {"t": value})) == code
