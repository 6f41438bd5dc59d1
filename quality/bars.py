"""Rebuilds minute bars from ticks and compares: the stored ones come from materialized views."""

from importlib import resources

from clickhouse_connect.driver.client import Client

from adapters.clickhouse.client import errors_translated


def wrong_bars(client: Client) -> tuple[int, list[str]]:
    """How many bars were compared, and the first hundred that are wrong."""
    sql = resources.files("quality").joinpath("sql/wrong_bars.sql").read_text()
    with errors_translated():
        compared = client.query(f"SELECT count() FROM ({sql})").result_rows[0][0]
        found = client.query(
            f"SELECT bar_source, bar_symbol, bar_minute FROM ({sql}) WHERE wrong LIMIT 100"
        ).result_rows
    return int(compared), [f"{source} {symbol} {minute}" for source, symbol, minute in found]
