"""`tickhouse status` says what each strategy realised today and in all, to the cent."""

import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from adapters.clickhouse.rows import message_columns
from adapters.clickhouse.writer import Writer
from cli.diagnostics.strategy_profit import StrategyProfit, strategy_profit
from core.contracts.order import EventKind
from core.sections import RunSettings
from core.settings import Settings
from features.catalog import NAMES
from tests.support.orders import event
from tests.support.warehouse_server import migrated

pytestmark = [pytest.mark.process, pytest.mark.heavy(suite="warehouse")]


def test_profit_of_each_strategy_counts_costs_and_the_day(tmp_path: Path) -> None:
    server = migrated(tmp_path, NAMES)
    now = time.time_ns() // 1000
    old = now - 3 * 86_400_000_000
    fills = [
        ("trend", now, "live", 10.25, EventKind.FILLED),
        ("trend", old, "live", -3.0, EventKind.CLOSED),
        ("pairs", old, "live", 7.0, EventKind.PARTIALLY_FILLED),
        ("pairs", now, "replay", 1000.0, EventKind.FILLED),
        ("none", now, "live", 50.0, EventKind.DENIED),
    ]
    writer = Writer(server.settings)
    writer.insert(
        "order_event",
        message_columns(
            [
                event(n, kind, at, strategy=strategy, mode=mode, profit=profit, commission=-0.5,
                      account="acc1", seq=n, event_id=f"e{n}.1")
                for n, (strategy, at, mode, profit, kind) in enumerate(fills, 1)
            ]
        ),
    )  # fmt: skip
    writer.close()
    settings = Settings(str(tmp_path), run=RunSettings("live", "live", "acc1"))
    settings = msgspec.structs.replace(settings, clickhouse=server.settings)
    status: Any = SimpleNamespace(stack=SimpleNamespace(urls={"warehouse": server.url}))
    try:
        assert strategy_profit(settings, status) == [
            StrategyProfit("pairs", 0.0, 6.5), StrategyProfit("trend", 9.75, 6.25),
        ]  # fmt: skip
    finally:
        server.stop()
    said = strategy_profit(settings, status)
    assert isinstance(said, str)
    assert said.startswith("unknown: ")
    assert strategy_profit(settings, SimpleNamespace(stack=None)) == []
