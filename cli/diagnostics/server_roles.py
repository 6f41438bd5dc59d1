"""The roles of `containers/clickhouse-roles.sql`, made under names of their own and tried.

Each gets a user for as long as this takes. Access is all a server's: a fault would leave a user
behind with rights, so both are dropped first and last.
"""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec
from clickhouse_connect.driver.client import Client

from adapters.clickhouse import client
from adapters.clickhouse.client import ClusterClient
from cli.diagnostics.check import Check, result_of
from core.errors import TickhouseError, WarehouseError
from core.sections import ClickhouseSettings
from core.shipped import shipped

ROLES = ("analyst", "recorder", "writer")
_INSERT = "INSERT INTO instrument (source, symbol) VALUES ('check', 'X')"
#: Statement, and who may give it.
_TRIED = (
    ("SELECT count() FROM tick", set(ROLES)),
    (_INSERT, {"recorder", "writer"}),
    ("ALTER TABLE instrument DELETE WHERE source = 'nobody'", {"writer"}),
)
_DENIED = 497


def tried(connection: Client, where: ClickhouseSettings) -> Iterator[Check]:
    """One line; a warning where this user may not make users, or there are none to make."""
    on = f" ON CLUSTER `{where.cluster}`" if isinstance(connection, ClusterClient) else ""
    name, password = str(where.database), secrets.token_urlsafe(18) + "aA1!"
    try:
        with _users(connection, name, on, password):
            wrong = [
                problem
                for role in ROLES
                for sql, may in _TRIED
                if (problem := _differs(where, f"{name}_{role}", password, sql, role in may))
            ]
    except WarehouseError as error:
        text = f"not tried: {' '.join(str(error).split())[:200]}"
        yield Check(
            "roles", "warning", text, "run the check as a user who may make users and roles"
        )
        return
    says = (
        "analyst reads, recorder inserts, writer changes tables" if not wrong else "; ".join(wrong)
    )
    yield result_of(
        "roles",
        not wrong,
        says,
        "compare SHOW GRANTS with containers/clickhouse-roles.sql",
        "failed",
    )


def statements(name: str, *, cluster: str = "") -> list[str]:
    """The file's, for roles and databases of this name."""
    file = "clickhouse-roles-cluster.sql" if cluster else "clickhouse-roles.sql"
    text = (shipped("containers") / file).read_text()
    text = "\n".join(line for line in text.splitlines() if not line.startswith("--"))
    text = text.replace("tickhouse", name).replace("'{cluster}'", f"`{cluster}`")
    return [" ".join(one.split()) for one in text.split(";") if one.strip()]


@contextmanager
def _users(connection: Client, name: str, on: str, password: str) -> Iterator[None]:
    with client.errors_translated():
        try:
            for statement in statements(name, cluster=on.split("`")[1] if on else ""):
                _command(connection, statement)
            for role in ROLES:
                user = f"`{name}_{role}_user`"
                _command(
                    connection,
                    f"CREATE USER {user}{on} IDENTIFIED BY '{password}' DEFAULT ROLE NONE",
                )
                _command(connection, f"GRANT{on} {name}_{role} TO {user}")
                _command(connection, f"ALTER USER {user}{on} DEFAULT ROLE ALL")
            yield
        finally:
            for role in ROLES:
                _command(connection, f"DROP USER IF EXISTS `{name}_{role}_user`{on}")
                _command(connection, f"DROP ROLE IF EXISTS {name}_{role}{on}")
            if on:
                _command(connection, f"DROP SETTINGS PROFILE IF EXISTS {name}_cluster{on}")


def _command(connection: Client, statement: str) -> None:
    connection.raw_query(statement, use_database=False)


def _differs(where: ClickhouseSettings, user: str, password: str, sql: str, may: bool) -> str:
    """What is not as it should be, in words."""
    signed_in = msgspec.structs.replace(where, user=f"{user}_user", password=password)
    try:
        connection = client.connect(signed_in)
        try:
            with client.errors_translated():
                connection.command(sql)
        finally:
            connection.close()
    except TickhouseError as error:
        denied = isinstance(error, WarehouseError) and error.code == _DENIED
        if may or not denied:
            return f"{user}: {sql}: {' '.join(str(error).split())[:160]}"
        return ""
    return "" if may else f"{user} may do what it should not: {sql}"
