"""What becomes of statements, by role, and of attacks that were once let through."""

import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.clickhouse.embedded.connection import Context
from adapters.clickhouse.embedded.engine import Engine
from adapters.clickhouse.embedded.gate import Gate
from adapters.clickhouse.embedded.statement import Statement, split
from core.errors import WarehouseError
from core.identity import Role, User

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
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    engine = Engine(tmp_path_factory.mktemp("statements") / "warehouse")
    try:
        yield engine
    finally:
        engine.close()


@pytest.fixture(scope="module")
def gate(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Gate:
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
        (statement, code, found)
        for who, statement, code in ROWS
        if who == role
        and (found := verdict(gate, user, split(statement.encode(), b""), context)) != code
    ]
    assert not wrong
    assert verdict(gate, User("root", "admin", HASH), "SYSTEM SHUTDOWN", context) == 0
