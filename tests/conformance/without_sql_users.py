"""A pytest plugin for dbt-clickhouse's suite: its set-up goes on without users made by SQL.

Users of Tickhouse's warehouse live in one file, so `CREATE USER` is refused. The suite makes three
of them before its first test, for its grant tests alone: those still fail and are counted so. The
tests of replicated databases come last: their set-up fails and leaves its settings behind.
"""

from typing import Any

from clickhouse_connect.driver.httpclient import HttpClient

_command = HttpClient.command


def _tolerant(client: HttpClient, cmd: Any, *arguments: Any, **options: Any) -> Any:
    if str(cmd).startswith(("CREATE USER", "DROP USER")):
        return ""
    return _command(client, cmd, *arguments, **options)


def pytest_collection_modifyitems(items: list[Any]) -> None:
    """Replicated databases last."""
    items.sort(key=lambda item: "replicated_database" in item.nodeid)


HttpClient.command = _tolerant  # type: ignore[method-assign]
