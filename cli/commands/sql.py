"""`tickhouse sql "…"`: a statement to the warehouse, as the owner of the home.

Who may read the home's credentials owns it, so nothing is typed. The statement travels as it is
and the answer as it comes: the warehouse draws the table, this command passes it on.
"""

import argparse
import http.client
import os
import shutil
import sys
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from urllib.parse import urlencode, urlsplit

from cli.stack.warehouse_client import at_hand, warehouse_settings
from core import settings as product
from core import tls
from core.errors import InputError, UnavailableError, WarehouseError
from core.home_users import OWNER
from core.sections import ClickhouseSettings

LOADS_SETTINGS_ITSELF = True
_TABLE, _UNKNOWN_DATABASE = "PrettyCompactMonoBlock", "81"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What to ask, where, and how the answer is written."""
    parser.add_argument(
        "statement", nargs="?", metavar="SQL", help="default: read from standard input"
    )
    parser.add_argument("--home", metavar="DIR", help="default: TICKHOUSE_HOME")
    parser.add_argument(
        "--format", default=_TABLE, metavar="NAME",
        help="CSV, TSV, JSONEachRow, Parquet or another of ClickHouse's; default: a table",
    )  # fmt: skip


def run(namespace: argparse.Namespace) -> int:
    """Ask, and pass the answer on."""
    statement = sys.stdin.read() if namespace.statement is None else namespace.statement
    if not statement.strip():
        raise InputError("statement", 'is empty: tickhouse sql "SELECT 1", or on standard input')
    settings = product.of_home(namespace.home)
    with at_hand(settings):
        _ask(warehouse_settings(settings, OWNER), statement, namespace.format)
    return 0


def _ask(where: ClickhouseSettings, statement: str, shape: str) -> None:
    with _answered(where), closing(_connection(where)) as connection:
        parameters = {"default_format": shape, "database": where.database}
        answer = _post(connection, where, parameters, statement)
        if answer.getheader("X-ClickHouse-Exception-Code") == _UNKNOWN_DATABASE:
            answer.read()
            del parameters["database"]  # nothing ran; on a new home there is none yet
            answer = _post(connection, where, parameters, statement)
        if answer.status != http.HTTPStatus.OK:
            code = int(answer.getheader("X-ClickHouse-Exception-Code") or 0)
            raise WarehouseError(answer.read().decode(errors="replace").strip(), code)
        sys.stdout.flush()
        shutil.copyfileobj(answer, sys.stdout.buffer)
        sys.stdout.buffer.flush()


def _post(
    connection: http.client.HTTPConnection,
    where: ClickhouseSettings,
    parameters: Mapping[str, str],
    statement: str,
) -> http.client.HTTPResponse:
    signed = b64encode(f"{where.user}:{where.password}".encode()).decode()
    head = {"Authorization": f"Basic {signed}", "Content-Type": "text/plain; charset=UTF-8"}
    connection.request("POST", f"/?{urlencode(parameters)}", statement.encode(), head)
    return connection.getresponse()


def _connection(where: ClickhouseSettings) -> http.client.HTTPConnection:
    url = urlsplit(where.url)
    host = url.hostname or ""
    if url.scheme == "https":
        return http.client.HTTPSConnection(host, url.port, context=tls.trusting(where.ca))
    return http.client.HTTPConnection(host, url.port)


@contextmanager
def _answered(where: ClickhouseSettings) -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:  # who read the answer had enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (OSError, http.client.HTTPException) as error:
        raise UnavailableError(
            f"the warehouse at {where.url} does not answer, or not to the end: "
            f"{tls.why(error) or error}"
        ) from error
