"""The Quix applications on a real broker: exposure with its state, the collector as a source."""

import os
import signal
import subprocess
import sys
import time

import msgspec
import pytest

from adapters.bus.select import connect
from adapters.clickhouse.migrate import apply
from core.contracts import codec
from core.contracts.order import EventKind, OrderEvent, PositionState
from core.contracts.tick import TickBatch
from core.settings import environment_of
from core.topics import ORDER_EVENTS, TICKS
from features.catalog import NAMES
from tests.support.buses import on_kafka
from tests.support.servers import free_port
from tests.support.warehouse_server import warehouse  # noqa: F401

pytestmark = [pytest.mark.process]


class App:
    """`python -m streams.quix <name>` on a home."""

    def __init__(self, name, home, at, **more):
        kept = {k: v for k, v in os.environ.items() if not k.startswith("TICKHOUSE_")}
        self._line = [sys.executable, "-m", "streams.quix", name]
        self._environment = {
            **kept,
            "TICKHOUSE_HOME": str(home),
            **environment_of("bus", **msgspec.structs.asdict(at.settings)),
            **more,
        }
        home.mkdir(parents=True, exist_ok=True)
        self.log = home / f"{name}.log"
        self.process = None

    def start(self):
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self._line, env=self._environment, stdout=log, stderr=log
            )

    def end(self, number):
        if self.process is None:
            return None
        self.process.send_signal(number)
        return self.process.wait(timeout=30)


def event(seq, kind, second, symbol="EURUSD"):
    at_us = 1_700_000_000_000_000 + int(second * 1e6)
    return OrderEvent(
        seq=seq, event_id=f"o{seq}.1", kind=kind, run_id="live", mode="demo", account="desk",
        strategy="s", order_id=f"o{seq}", signal_id=f"g{seq}", source="oanda", symbol=symbol,
        ts_event_us=at_us, ts_init_us=at_us,
    )  # fmt: skip


def held(seq, lots, second, symbol="EURUSD"):
    at_us = 1_700_000_000_000_000 + int(second * 1e6)
    return PositionState(
        run_id="live", mode="demo", account="desk", strategy="s", source="oanda", symbol=symbol,
        ts_event_us=at_us, ts_init_us=at_us, seq=seq, volume=lots, price=1.1, stop_price=0.0,
        profit_realised=0.0,
    )  # fmt: skip


def rows(server, count):
    """Rows of exposure_rate once there are so many."""
    client, deadline, stored = server.client, time.monotonic() + 40, []
    while len(stored) < count and time.monotonic() < deadline:
        stored = client.query(
            "SELECT seq, symbol, net_lots, round(net_notional), gross_lots, messages_1s,"
            " messages_60s FROM exposure_rate FINAL ORDER BY seq, symbol"
        ).result_rows
        time.sleep(0.2)
    return stored


def test_exposure_survives_a_kill_and_the_loss_of_its_state(kafka, warehouse, tmp_path):  # noqa: F811
    at = on_kafka(kafka)
    apply(warehouse.client, NAMES)
    bus = connect(at.settings, "test")

    def tell(*messages):
        for message in messages:
            bus.publish(ORDER_EVENTS, "desk", codec.encode(message))

    app = App("exposure", tmp_path / "a", at, **warehouse.environment)
    app.start()
    tell(event(1, EventKind.SUBMITTED, 0), event(2, EventKind.FILLED, 0.1), held(2, 0.5, 0.1))
    tell(event(3, EventKind.SUBMITTED, 0.5, "XAUUSD"), held(4, -0.2, 0.6, "XAUUSD"))
    first = [
        (1, "EURUSD", 0.0, 0.0, 0.0, 1, 1),
        (2, "EURUSD", 0.5, 55000.0, 0.5, 1, 1),
        (3, "XAUUSD", 0.0, 0.0, 0.5, 2, 2),
        (4, "XAUUSD", -0.2, -22.0, 0.7, 2, 2),
    ]
    stored = rows(warehouse, 4)
    other = App("exposure", tmp_path / "b", at, **warehouse.environment)
    other.start()  # another host: the group is balanced anew, state comes from the changelog
    time.sleep(3)
    app.end(signal.SIGKILL)
    assert stored == first, app.log.read_text()[-3000:]
    tell(held(2, 0.5, 0.1))  # again, as after a crash
    tell(event(5, EventKind.STOP_MOVING, 30), held(6, 0.0, 40))
    then = [(5, "EURUSD", 0.5, 55000.0, 0.7, 1, 3), (6, "EURUSD", 0.0, 0.0, 0.2, 0, 3)]
    stored = rows(warehouse, 6)
    code = other.end(signal.SIGTERM)
    bus.close()
    assert stored == first + then, other.log.read_text()[-3000:]
    assert code == 0, other.log.read_text()[-3000:]


def test_the_collector_as_a_source_publishes_the_terminals_ticks_once(kafka, tmp_path):
    at, port = on_kafka(kafka), free_port()
    home = tmp_path / "home"
    terminal = subprocess.Popen(
        [sys.executable, "-m", "adapters.simulator.server", "--home", str(home),
         "--port", str(port), "--market", "generated"],
        env={**os.environ, "TICKHOUSE_HOME": str(home)},
    )  # fmt: skip
    app = App(
        "collector", home, at, TICKHOUSE_TERMINAL__ADDRESS=f"127.0.0.1:{port}",
        TICKHOUSE_TERMINAL__SYMBOLS="BTCUSD", TICKHOUSE_COLLECTOR__BACKFILL_MINUTES="1",
    )  # fmt: skip
    bus = connect(at.settings, "test")
    subscriber = bus.subscribe(TICKS)
    try:
        app.start()
        offset = follow(subscriber, 0, seconds=4, log=app.log)
        app.end(signal.SIGTERM)
        app.start()
        assert follow(subscriber, offset, seconds=4, log=app.log) > offset
    finally:
        app.end(signal.SIGTERM)
        terminal.terminate()
        terminal.wait()
        bus.close()


def follow(subscriber, offset, seconds, log):
    """Each batch begins where the one before ended; where the last one ends."""
    deadline, end = time.monotonic() + 40, None
    while time.monotonic() < (end or deadline):
        message = subscriber.next(0.2)
        content = codec.decode(TICKS.name, message.payload) if message else None
        if isinstance(content, TickBatch):
            assert content.offset == offset
            offset += len(content.ticks)
            end = end or time.monotonic() + seconds
    assert end, log.read_text()[-3000:]
    return offset
