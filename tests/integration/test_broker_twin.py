"""The broker's twin from end to end: real processes, two simulated brokers with different costs.

Execution trades at a terminal in another process while its twin has costs of its own; both fills
reach the table, and the mart that sets expected against actual.
"""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from adapters.bus.base import Bus
from adapters.bus.select import connect
from adapters.simulator.broker.costs import Frictions
from adapters.simulator.markets.generated_market import GeneratedMarket
from adapters.simulator.server import Server
from adapters.simulator.terminal import SimulatedTerminal
from core.contracts import codec
from core.contracts.signal import SignalBatch
from core.contracts.tick import TICK, TickBatch
from core.credentials import directory_of
from core.sections import BusSettings
from core.topics import HEARTBEATS, SIGNALS, TICKS
from tests.integration.analysed import dbt
from tests.support import replays
from tests.support.servers import NatsServer
from tests.support.warehouse_server import Warehouse, warehouse

__all__ = ["warehouse"]
pytestmark = [pytest.mark.process, pytest.mark.heavy(suite="survival")]
FEED = ("sim", "BTCUSD")
MARKET = GeneratedMarket(("BTCUSD",), "sim", 7)


@pytest.fixture
def bus(nats_server: NatsServer) -> Iterator[Bus]:
    client = connect(BusSettings(url=nats_server.url), "test")
    yield client
    client.close()


def tick(bus: Bus, since_msc: int) -> int:
    """Publish the market's ticks since a time, as a collector does; the time reached."""
    now = time.time_ns() // 1_000_000
    quotes = MARKET.tape(*FEED).ticks_between(since_msc + 1, now, 10_000)
    rows = np.zeros(len(quotes), TICK)
    for name in ("time_msc", "bid", "ask"):
        rows[name] = quotes[name]
    if len(rows):
        batch = TickBatch("live", "demo", *FEED, 0, 0, rows.tobytes())
        bus.publish(TICKS, "sim.BTCUSD", codec.encode(batch))
    return now


def wish(bus: Bus, target: float) -> None:
    """A signal at the market as it is now."""
    now = time.time_ns() // 1000
    quote = MARKET.tape(*FEED).last_until(now // 1000)
    assert quote is not None
    row = (quote.time_msc, quote.bid, quote.ask)
    stop = quote.bid * (0.97 if target > 0 else 1.03) if target else 0.0
    signal = replays.signal(*FEED, row, target)
    signal = codec.decode("signals", codec.encode(signal))
    fields = {name: getattr(signal, name) for name in signal.__struct_fields__}
    fields |= {
        "run_id": "live", "mode": "demo", "account": "simulated", "ts_event_us": now,
        "stop_price": stop, "horizon_us": now + 60_000_000, "expires_us": now + 5_000_000,
        "signal_id": f"{now:032x}",
    }  # fmt: skip
    batch = SignalBatch("live", 0, now, [type(signal)(**fields)])
    bus.publish(SIGNALS, "sim.BTCUSD", codec.encode(batch))


def test_expected_and_actual_fills_reach_table_and_mart(
    tmp_path: Path, bus: Bus, nats_server: NatsServer, warehouse: Warehouse
) -> None:
    dear = Frictions(latency_ms=(300, 400), slip_probability=1.0, slip_spreads=2.0)
    terminal = SimulatedTerminal(MARKET, log=tmp_path / "account.log", frictions=dear)
    server = Server(terminal, directory_of(tmp_path))
    environ = {
        **os.environ, "TICKHOUSE_HOME": str(tmp_path), "TICKHOUSE_BUS__URL": nats_server.url,
        "TICKHOUSE_TERMINAL__ADDRESS": server.address, "TICKHOUSE_TWIN__ENABLED": "on",
        "TICKHOUSE_TWIN__SLIP_PROBABILITY": "0", "TICKHOUSE_RUN__RUN_ID": "live",
        **warehouse.environment, "TICKHOUSE_RUN__MODE": "demo",
        "TICKHOUSE_RUN__STRATEGY": "scripted",
    }  # fmt: skip
    lines = (("execution",), ("streams", "executions"))
    processes = [subprocess.Popen([sys.executable, "-m", *line], env=environ) for line in lines]
    client = warehouse.client
    try:
        reached, wished, deadline = time.time_ns() // 1_000_000 - 5000, 0, time.monotonic() + 120
        due = 0.0
        purposes = "SELECT uniqExact(purpose) FROM twin_comparison FINAL"
        while int(str(client.command(purposes))) < 2:
            assert time.monotonic() < deadline
            assert all(process.poll() is None for process in processes)
            reached = tick(bus, reached)
            if bus.last(HEARTBEATS, "execution") is not None and time.monotonic() > due:
                wish(bus, (1.0, 0.0)[wished % 2])  # again and again: a slow machine denies some
                wished, due = wished + 1, time.monotonic() + 3.0
            time.sleep(0.2)
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait(timeout=60)
        server.close()
    rows = list(client.query("SELECT * FROM twin_comparison FINAL").named_results())
    assert {(r["real_outcome"], r["twin_outcome"]) for r in rows} == {("filled", "filled")}
    assert {r["purpose"] for r in rows} == {"entry", "opposite"}
    built = dbt(
        tmp_path, warehouse.settings_of("dbt"), "build", "--select", "+fct_broker_twin",
        "--exclude-resource-type", "unit_test", mode="demo",
    )  # fmt: skip
    assert built.returncode == 0, built.stdout[-4000:]
    marts = client.query("SELECT * FROM tickhouse_marts_demo.fct_broker_twin").named_results()
    days = list(marts)
    assert sum(row["orders"] for row in days) == len(rows)
    assert all(row["excess_slippage_bp"] > 0 for row in days)  # the broker is the dearer one
    assert all(row["real_latency_ms_p50"] > row["twin_latency_ms_p50"] for row in days)
