"""A replay of three strategies that share a netting account's position of one symbol."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest

from backtest.job import FeedFile, Job
from backtest.run import run
from core import settings
from core.contracts.order import EventKind, OrderEvent
from core.desk import NETTING
from core.instruments import instrument
from execution.journal import journal
from execution.journal.virtual import RESIDUE, is_virtual
from tests.e2e.replay_runs import cut, environment, finished, kill_in_turn, start_replay
from tests.e2e.test_same_decisions import without_names
from tests.integration.analysed import MARTS, dbt
from tests.support import new_home
from tests.support.warehouse_server import Warehouse

pytestmark = [pytest.mark.process, pytest.mark.heavy(suite="survival")]

FILLS = (EventKind.PARTIALLY_FILLED, EventKind.FILLED, EventKind.CLOSED)
MORE = {
    "TICKHOUSE_TERMINAL__NETTING": "1", "TICKHOUSE_EXITS__TRAIL_STOPS": "1",
    "TICKHOUSE_SIGNALS__STOP_SPREADS": "3", "TICKHOUSE_SIGNALS__STOP_VOLATILITY": "0.7",
}  # fmt: skip
TEXT = """
[strategies.cross]
use = "ema_cross"
share = 0.4

[strategies.cross.signals]
horizon_s = 600

[strategies.out]
use = "breakout"
share = 0.3

[strategies.back]
use = "scripted"
share = 0.3
"""


@dataclass
class Replayed:
    home: Path
    file: Path
    result: dict[str, Any]

    def events(self) -> list[OrderEvent]:
        path = self.home / "runs" / self.result["run_id"] / "journal"
        return list(journal.events(path))


@pytest.fixture(scope="module")
def replayed(recordings: Path, tmp_path_factory: pytest.TempPathFactory) -> Replayed:
    """Processes are killed on the way."""
    folder = tmp_path_factory.mktemp("ticks")
    home = new_home.for_replay(tmp_path_factory.mktemp("home"))
    desk = folder / "desk.toml"
    desk.write_text(TEXT)
    file = cut(recordings / "ticks" / "XAUUSD_oanda.parquet", folder, 250_000, 40_000)
    process = start_replay(home, [str(file), "--desk", str(desk)], **MORE)
    kill_in_turn(home, {"execution": 0.6, "streams.signals": 1.2, "terminal": 1.8}.items())
    result = finished(process)
    assert result["reconciled"], result["reconciliation"]
    return Replayed(home, file, result)


def backtest(replayed: Replayed) -> Sequence[OrderEvent]:
    config = settings.load(environment(replayed.home, **MORE))
    named = msgspec.structs.replace(
        config.run, run_id="own", mode="backtest", account="own", strategy="desk"
    )
    symbol, source = replayed.file.stem.split("_")
    feeds = (FeedFile(str(replayed.file), source, symbol),)
    job = Job(
        "all", msgspec.structs.replace(config, run=named), feeds, ((source, symbol),),
        desk=TEXT.encode(),
    )  # fmt: skip
    return run(job).events


def profits(events: Sequence[OrderEvent]) -> dict[str, float]:
    """By strategy: what its own deals sold for less what they bought for."""
    earned: dict[str, float] = defaultdict(float)
    for event in events:
        if event.kind in FILLS:
            traded = instrument(event.symbol, event.ts_event_us)
            assert traded is not None
            sign = 1 if event.side == "sell" else -1
            earned[event.strategy] += sign * event.volume * event.price * traded.contract_size
    return earned


def marts_of(home: Path) -> tuple[dict[str, float], dict[str, float]]:
    """Gross profit by strategy, of its days and of its trades, as dbt builds and tests them."""
    server = Warehouse(home)
    server.start()
    try:
        built = dbt(
            home, server.settings, "build", "--exclude-resource-type", "unit_test",
            "--select", "+fct_strategy_pnl_daily +fct_trade +fct_pnl_daily",
        )  # fmt: skip
        assert built.returncode == 0, built.stdout[-3000:]
        sums = [
            server.client.query(
                f"SELECT strategy, round(sum(profit_gross), 2) FROM {MARTS}.{mart} GROUP BY 1"
            ).result_rows
            for mart in ("fct_strategy_pnl_daily", "fct_trade")
        ]
    finally:
        server.stop()
    return dict(sums[0]), dict(sums[1])


def test_three_strategies_share_a_symbol_and_a_backtest_has_the_same_events(
    replayed: Replayed,
) -> None:
    events = replayed.events()
    assert {e.strategy for e in events if e.kind in FILLS} == {"cross", "out", "back"}
    assert not any(e.reason == "symbol_taken" for e in events)
    assert all(is_virtual(e.venue_position) for e in events if e.kind in FILLS)
    held: dict[str, float] = defaultdict(float)
    most = 0
    for event in events:
        if event.kind in FILLS:
            signed = event.volume if event.side == "buy" else -event.volume
            held[event.strategy] = round(held[event.strategy] + signed, 8)
            most = max(most, sum(volume != 0 for volume in held.values()))
    assert most == 3
    stops = [e for e in events if e.kind is EventKind.SUBMITTED and e.purpose == "stop"]
    closed = [e for e in events if e.kind is EventKind.CLOSED and e.purpose == "stop"]
    assert stops
    assert closed
    assert [without_names(e) for e in backtest(replayed)] == [without_names(e) for e in events]


def test_profit_of_each_strategy_is_in_the_marts_to_the_cent(replayed: Replayed) -> None:
    events = replayed.events()
    own = profits(events)
    held = {e.strategy: 0.0 for e in events if e.kind in FILLS}
    for event in events:
        if event.kind in FILLS:
            held[event.strategy] += event.volume * (1 if event.side == "buy" else -1)
    flat = {name for name, volume in held.items() if not round(volume, 8)}
    booked: dict[str, float] = defaultdict(float)
    deals = 0.0
    for event in events:
        booked[event.strategy] += event.profit if event.purpose == RESIDUE else 0.0
        if event.kind in FILLS:
            booked[event.strategy] += event.profit
            deals += event.profit
    assert flat
    assert all(booked[name] == pytest.approx(own[name], abs=0.5) for name in flat)
    stored, trades = marts_of(replayed.home)
    assert stored == {name: round(amount, 2) for name, amount in booked.items() if name}
    assert trades == {name: round(booked[name], 2) for name in ("cross", "out", "back")}
    assert round(sum(stored.values()), 2) == round(deals, 2)
    assert NETTING in stored
