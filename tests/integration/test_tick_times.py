"""Ticks from before their times were stored as what is left to say keep every one of them."""

from pathlib import Path

from clickhouse_connect.driver.client import Client

from adapters.clickhouse import migrate
from tests.support.warehouse_server import Warehouse

NAME = "tick_times"
#: Received with the market, late, before it (a clock that is behind), and noted later than that.
BEFORE = """
INSERT INTO tick (source, symbol, ts_event, seq, bid, ask, ts_recv, ts_known) VALUES
('s', 'X', '2026-03-02 10:00:00.000000', 0, 1, 2, '2026-03-02 10:00:00.000000', '2026-03-02 10:00:00.000000'),
('s', 'X', '2026-03-02 10:00:01.000000', 0, 1, 2, '2026-03-02 10:00:01.012345', '2026-03-02 10:00:01.012345'),
('s', 'X', '2026-04-02 10:00:02.000000', 0, 1, 2, '2026-04-02 10:00:01.999999', '2026-04-03 00:00:00.000001'),
('s', 'X', '2026-04-02 10:00:03.000000', 0, 1, 2, '1970-01-01 00:00:00.000000', '1970-01-01 00:00:00.000000')
"""  # noqa: E501
TIMES = "SELECT toString(ts_event), toString(ts_recv), toString(ts_known) FROM tick ORDER BY 1"


def rows(client: Client) -> list[tuple[str, ...]]:
    return [tuple(row) for row in client.query(TIMES).result_rows]


def test_times_stay_whenever_the_change_was_cut_short(tmp_path: Path) -> None:
    warehouse = Warehouse(tmp_path)
    warehouse.start()
    try:
        files = migrate.product_migrations()
        (change,) = (file for file in files if NAME in file.name)
        client = warehouse.client
        migrate.apply(client, (), files[: change.version - 1])
        client.command(BEFORE)
        before = rows(client)
        statements = change.statements()
        for _ in range(2):  # after its last statement, and not yet noted as applied
            for cut in range(len(statements) + 1):
                for statement in statements[:cut]:
                    client.command(statement)
                assert rows(client) == before
        migrate.apply(client, ())
        assert rows(client) == before
    finally:
        warehouse.stop()
