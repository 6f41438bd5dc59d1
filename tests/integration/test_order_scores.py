"""The asset scores what the warehouse holds, and a second run changes nothing."""

import dagster as dg
import pytest

from orchestration.defs.order_scores import scored_orders
from orchestration.resources import Tickhouse
from tests.support.warehouse_server import Warehouse, warehouse

__all__ = ["warehouse"]
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # Dagster of pydantic

DAY_US, BEGIN_US = 86_400_000_000, 1_762_300_800_000_000  # 5 November 2025


def test_an_order_of_ten_times_the_size_scores_and_is_kept_once(
    warehouse: Warehouse, tmp_path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TICKHOUSE_HOME", str(tmp_path))
    warehouse.reached(monkeypatch)
    rows = (
        "INSERT INTO order_event (seq, event_id, kind, run_id, mode, account, strategy, order_id,"
        " source, symbol, ts_event, side, purpose, volume, price, arrival_mid) SELECT"
        " {seq} + number, concat('{order}', toString(number), '{kind}'), '{kind}', 'r', 'live',"
        " 'a', 's', concat('{order}', toString(number)), 'oanda', 'EURUSD',"
        " fromUnixTimestamp64Micro(toInt64({at} + number * 3600000000), 'UTC'), 'buy', 'entry',"
        " {lots}, 1.1001, 1.1 FROM numbers({count})"
    )
    last = BEGIN_US + 20 * DAY_US
    for base, kind in ((1, "submitted"), (1_001, "filled")):
        for order, at, lots, count in (("u", BEGIN_US, 0.1, 240), ("odd", last, 1.0, 1)):
            statement = rows.format(
                seq=base + len(order) * 10_000,
                kind=kind,
                order=order,
                at=at,
                lots=lots,
                count=count,
            )
            warehouse.client.command(statement)
    config = {"run_id": "r", "until_us": last + DAY_US // 24}
    for _ in range(2):
        done = dg.materialize(
            [scored_orders], resources={"tickhouse": Tickhouse()},
            run_config={"ops": {"scored_orders": {"config": config}}},
        )  # fmt: skip
        assert done.success
    [row] = warehouse.client.query(
        "SELECT order_id, size_ratio, score, reason, trained_on FROM order_score FINAL"
    ).result_rows
    assert row == ("odd0", 10.0, 1.0, "size", 240)
