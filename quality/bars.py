"""Rebuilds minute bars from ticks and compares: the stored ones come from materialized views."""

from datetime import UTC, datetime
from importlib import resources

from clickhouse_connect.driver.client import Client

from adapters.clickhouse.client import errors_translated

_FIRST, _LAST = datetime(1970, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)


def wrong_bars(
    client: Client, start: datetime = _FIRST, end: datetime = _LAST
) -> tuple[int, list[str]]:
    """How many bars of a span were compared, and the first hundred that are wrong."""
    sql = resources.files("quality").joinpath("sql/wrong_bars.sql").read_text()
    span = {"start": start, "end": end}
    with errors_translated():
        compared = client.query(f"SELECT count() FROM ({sql})", parameters=span).result_rows[0][0]
        wrong = client.query(
            f"SELECT bar_source, bar_symbol, bar_minute FROM ({sql}) WHERE wrong LIMIT 100",
            parameters=span,
        ).result_rows
    return int(compared), [f"{source} {symbol} {minute}" for source, symbol, minute in wrong]
