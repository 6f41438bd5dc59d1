"""What a question needs before it is asked: which mode, marts that know of it, and what "now" is.

A home that has just replayed, imported or traded has none, or older ones: whoever is at the machine
has them filled. On a server elsewhere that is the work of those who run it, and who signs in as a
user of their own reads what there is.
"""

import sys
from contextlib import closing
from datetime import UTC, datetime

from clickhouse_connect.driver.client import Client

from adapters.clickhouse import marts, traded_marts
from adapters.clickhouse.client import errors_translated
from cli.stack.warehouse_client import warehouse_client
from core.clock import SystemClock
from core.errors import BusyError
from core.file_lock import locked
from core.home_users import READER, SETUP
from core.settings import Settings

#: Their time is the market's: "today" is the last day of the newest run.
IN_THE_PAST = ("replay", "backtest")
_MODES = "SELECT mode, max(ts_end) FROM run FINAL GROUP BY mode ORDER BY max(ts_end) DESC"


def ready(settings: Settings, mode: str | None) -> tuple[str, datetime]:
    """The mode that is asked about, and the time (UTC) that "today" is relative to.

    Args:
        settings: of a home whose warehouse answers.
        mode: None: that which runs; where nothing ever did, that of the newest run.

    Raises:
        UnavailableError, WarehouseError: the warehouse does not answer, or refused.
    """
    with closing(warehouse_client(settings, READER)) as client, errors_translated():
        ends = {str(name): end for name, end in client.query(_MODES).result_rows}
    usual = settings.marts_mode
    mode = mode or (usual if usual in ends else next(iter(ends), usual))
    if not (settings.clickhouse.url or settings.clickhouse.names_a_user):
        with closing(warehouse_client(settings, SETUP)) as client:
            _fill(settings, client, mode)
    if mode in IN_THE_PAST and mode in ends:
        return mode, ends[mode].replace(tzinfo=UTC)
    return mode, datetime.fromtimestamp(SystemClock().now_us() / 1e6, UTC)


def _fill(settings: Settings, client: Client, mode: str) -> None:
    """Unless dbt is at it in this moment, or nothing came since."""
    try:
        with locked(settings.home_path / "dbt.lock", timeout_s=0):
            marts.make(client, [mode])
            if traded_marts.is_due(client, mode):
                print("Marts of what was traded are filled first.", file=sys.stderr)
                traded_marts.fill(client, mode)
    except BusyError:
        return
