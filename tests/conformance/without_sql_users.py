"""A pytest plugin for dbt-clickhouse's suite: its set-up goes on without users made by SQL.

Users of Tickhouse's warehouse live in one file, so `CREATE USER` is refused. The suite makes three
of them before its first test, for its grant tests alone: those still fail and are counted so. The
tests of replicated databases come last: their set-up fails and leaves its settings behind.

A dictionary of this source signs in to the engine itself, which knows `default` without a password
and nobody else, while whoever may make one has signed in with his. So every model says what a user
says in `connection_overrides`.
"""

from typing import Any

from clickhouse_connect.driver.httpclient import HttpClient
from dbt.adapters.clickhouse.impl import ClickHouseAdapter

_command = HttpClient.command
_credentials = ClickHouseAdapter.get_credentials


def _tolerant(client: HttpClient, cmd: Any, *arguments: Any, **options: Any) -> Any:
    if str(cmd).startswith(("CREATE USER", "DROP USER")):
        return ""
    return _command(client, cmd, *arguments, **options)


def _of_the_engine(adapter: ClickHouseAdapter, overrides: dict[str, Any]) -> dict[str, Any]:
    return _credentials(adapter, {"user": "default", "password": "", **overrides})


def pytest_collection_modifyitems(items: list[Any]) -> None:
    """Replicated databases last."""
    items.sort(key=lambda item: "replicated_database" in item.nodeid)


# dbt finds what macros may call by an attribute.
_of_the_engine._is_available_ = True  # type: ignore[attr-defined]
ClickHouseAdapter.get_credentials = _of_the_engine  # type: ignore[method-assign]
HttpClient.command = _tolerant  # type: ignore[method-assign]
