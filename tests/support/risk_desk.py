"""Three days of risk behind the live page: two feeds to now, positions, profits of a desk."""

import math
import time

import numpy as np

from adapters.clickhouse.rows import message_columns, tick_columns
from adapters.clickhouse.writer import Writer
from core.contracts.order import AccountState, EventKind, PositionState
from core.contracts.risk import StressResult
from core.contracts.tick import TICK, TickArray, TickBatch
from core.sections import ClickhouseSettings, RiskSettings, RunSettings
from streams.portfolio_risk import RiskFold
from streams.risk_rows import risk_rows
from tests.support.orders import event

RUN = RunSettings("live", "demo", "simulated")
FEEDS = {"EURUSD": 1.084, "XAUUSD": 2331.0}
_DAYS, _STEP_MS = 3, 20_000


def ticks(begin_msc: int) -> dict[str, TickArray]:
    """Two feeds that move together, wilder on the last day."""
    count = _DAYS * 86_400_000 // _STEP_MS
    rng, tapes = np.random.default_rng(3), {}
    common = rng.standard_normal(count)
    wild = np.where(np.arange(count) > count * 0.9, 4.0, 1.0)
    for symbol, price in FEEDS.items():
        tape = np.zeros(count, TICK)
        tape["time_msc"] = begin_msc + np.arange(count) * _STEP_MS
        moves = (common + 0.6 * rng.standard_normal(count)) * 4e-5 * wild
        mid = price * np.exp(np.cumsum(moves))
        tape["bid"], tape["ask"] = mid * (1 - 1e-5), mid * (1 + 1e-5)
        tapes[symbol] = tape
    return tapes


def store(where: ClickhouseSettings) -> None:
    """Figures of risk, regimes and fills as the flows would have written them."""
    end_us = time.time_ns() // 1000 // 60_000_000 * 60_000_000
    fold = RiskFold(RUN, RiskSettings(every_s=60))
    begin_us = end_us - _DAYS * 86_400_000_000
    writer = Writer(where)
    for symbol, tape in ticks(begin_us // 1000).items():
        batch = TickBatch("live", "demo", "sim", symbol, 0, 0, tape.tobytes())
        fold.ticks(batch)
        writer.insert("tick", tick_columns("sim", symbol, tape))
    opened = end_us - 7_200_000_000
    fold.event(
        AccountState(
            run_id="live",
            mode="demo",
            account="simulated",
            ts_event_us=opened,
            ts_init_us=0,
            seq=0,
            currency="USD",
            balance=1e5,
            equity=1e5,
            margin=500.0,
        )
    )
    for seq, (strategy, symbol, lots) in enumerate(
        (("trend", "EURUSD", 0.8), ("pairs", "XAUUSD", -0.2), ("pairs", "EURUSD", 0.3)), 1
    ):
        fold.event(
            PositionState(
                run_id="live", mode="demo", account="simulated", strategy=strategy, source="sim",
                symbol=symbol, ts_event_us=opened, ts_init_us=opened, seq=seq, volume=lots,
                price=FEEDS[symbol], stop_price=0.0, profit_realised=0.0,
            )
        )  # fmt: skip
    for rows in risk_rows(list(fold.rows())):
        writer.insert(rows.table, rows.columns)
    rng = np.random.default_rng(9)
    fills = [
        event(
            1000 + n, EventKind.FILLED, end_us - n * 1_300_000_000, mode="demo",
            account=RUN.account, strategy=("trend", "pairs")[n % 2], purpose="horizon",
            seq=1000 + n, event_id=f"r{n}.1", profit=float(np.round(rng.normal(5, 40), 2)),
        )
        for n in range(50)
    ]  # fmt: skip
    writer.insert("order_event", message_columns(fills))
    results = [
        StressResult(
            run_id="live", mode="demo", account=RUN.account, strategy="", ts_event_us=end_us,
            ts_init_us=end_us, scenario=name, version="1", profit=profit, share=profit / 1e5,
            factor=factor, target=0.1, worst_symbol="EURUSD", untouched="",
        )
        for name, profit, factor in (("franc-2015", -4210.5, 2.4), ("covid-2020", 318.0, math.inf))
    ]  # fmt: skip
    writer.insert("stress_result", message_columns(results))
    writer.close()
