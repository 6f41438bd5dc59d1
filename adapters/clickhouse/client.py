"""A clickhouse-connect client from settings, and its errors in our words.

No session ids (they serialise requests of one client), and no compression on loopback, where it
costs more than it saves.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import clickhouse_connect
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError, OperationalError
from clickhouse_connect.driver.httpclient import HttpClient
from clickhouse_connect.driver.httputil import get_pool_manager

from adapters.clickhouse import pandas_unloaded
from adapters.clickhouse.cluster import SETTINGS, Cluster, cluster_of
from core import tls
from core.errors import SettingsError, UnavailableError, WarehouseError
from core.sections import ClickhouseSettings

pandas_unloaded.install()

_LOOPBACK = {"127.0.0.1", "localhost", "::1"}
_PATIENCE_S = 300  # a mart is built within


def connect(settings: ClickhouseSettings, answer_s: int = _PATIENCE_S) -> Client:
    """A client of the warehouse, which waits so many seconds for an answer.

    Raises:
        SettingsError: the URL is missing or not http(s)://host[:port].
        UnavailableError: nothing answers there.
        WarehouseError: the server refused user or password.
    """
    url = urlsplit(settings.url)
    if url.scheme not in ("http", "https") or not url.hostname:
        raise SettingsError(
            f"TICKHOUSE_CLICKHOUSE__URL is {settings.url!r}: "
            "give http://host:port, or start the embedded warehouse and use its URL"
        )
    where: dict[str, Any] = {
        "host": url.hostname,
        "port": url.port or (8443 if url.scheme == "https" else 8123),
        "interface": url.scheme,
        "username": settings.user,
        "password": settings.password,
        "compress": url.hostname not in _LOOPBACK,
        "autogenerate_session_id": False,
        "send_receive_timeout": answer_s,
        "pool_mgr": _trusting(settings.ca) if settings.ca else None,
    }
    with errors_translated():
        if cluster := cluster_of(settings):
            client: Client = ClusterClient(cluster, **where)
        else:
            client = clickhouse_connect.get_client(**where)
    # Set afterwards: the first start connects before the database exists, to create it.
    client.database = settings.database
    return client


class ClusterClient(HttpClient):
    """A client of one server of a cluster: what it commands is done on all that it concerns."""

    def __init__(self, cluster: Cluster, **where: Any) -> None:
        self.cluster = cluster
        super().__init__(database=None, settings=dict(SETTINGS), **where)

    def command(self, cmd: str, *args: Any, **options: Any) -> Any:
        """See the library's; of several statements the last one's answer."""
        answers = [
            super(ClusterClient, self).command(statement, *args, **options)
            for statement in self.cluster.statements(cmd)
        ]
        return answers[-1]


@contextmanager
def errors_translated() -> Iterator[None]:
    """Turn clickhouse-connect's errors into ours.

    Raises:
        UnavailableError: no connection, or it broke: retry.
        WarehouseError: ClickHouse refused; carries its code.
    """
    try:
        yield
    except ClickHouseError as error:
        code = getattr(error, "code", None)
        if code is None and isinstance(error, OperationalError):
            raise _away(error) from error
        raise WarehouseError(str(error), int(code or 0)) from error
    except OSError as error:
        raise _away(error) from error


@cache
def _trusting(authority: str) -> Any:
    """Connections, shared as the library shares its own: it cannot close those of one client."""
    return get_pool_manager(ca_cert=authority)


def _away(error: Exception) -> UnavailableError:
    return UnavailableError(f"the warehouse does not answer: {tls.why(error) or error}")
