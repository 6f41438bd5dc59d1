"""The signals flow on two processes, then three, then one: nothing is lost, nothing doubled."""

import time

import msgspec
import pytest

from adapters.bus.kafka.publisher import partition_of
from adapters.bus.select import connect
from adapters.clickhouse.migrate import apply
from core.contracts import codec
from core.contracts.tick import TickBatch
from core.settings import environment_of
from core.topics import SIGNALS, TICKS
from features.catalog import KERNEL_COLUMNS, NAMES
from tests.cluster.sharded import Flow
from tests.support.buses import on_kafka
from tests.support.reference_ticks import reference_ticks
from tests.support.warehouse_server import warehouse  # noqa: F401

pytestmark = [pytest.mark.process, pytest.mark.cluster]

PARTITIONS = 4
SYMBOLS = ("EURUSD", "XAUUSD", "BTCUSD", "GBPUSD", "USDJPY", "AUDUSD")
BATCH, BATCHES = 50, 240  # of each symbol


class Feeds:
    """Publishes recorded ticks under six names, a batch of each in turn."""

    def __init__(self, bus) -> None:
        self._bus, self._done = bus, 0
        self._ticks = reference_ticks("EURUSD_oanda")[: BATCH * BATCHES]

    def publish(self, until: float, pause_s: float) -> None:
        """Up to a share of all, one batch of each feed every `pause_s`."""
        while self._done < until * BATCHES:
            first = self._done * BATCH
            part = self._ticks[first : first + BATCH].tobytes()
            for symbol in SYMBOLS:
                batch = TickBatch("live", "demo", "oanda", symbol, first, 0, part)
                self._bus.send(TICKS, f"oanda.{symbol}", codec.encode(batch), f"{symbol}.{first}")
            self._done += 1
            time.sleep(pause_s)
        self._bus.flush()


def features(server, database):
    """Rows as stored, rows by key, and a checksum of what a kernel computed."""
    settings = msgspec.structs.replace(server.settings, database=database)
    from adapters.clickhouse import client

    connection = client.connect(settings)
    server.clients.append(connection)
    columns = ", ".join(("symbol", "ts_event", "seq", *NAMES[:KERNEL_COLUMNS]))
    return connection.query(
        f"SELECT symbol, count(), groupBitXor(cityHash64({columns})) FROM feature FINAL"
        " GROUP BY symbol ORDER BY symbol"
    ).result_rows


def test_two_processes_then_three_then_one(kafka, warehouse, tmp_path):  # noqa: F811
    assert len({partition_of(f"oanda.{s}", PARTITIONS) for s in SYMBOLS}) >= 3
    on = on_kafka(kafka, partitions=PARTITIONS)
    for database in ("sharded", "alone"):
        chosen = msgspec.structs.replace(warehouse.settings, database=database)
        apply_to(warehouse, chosen)
    common = {
        **environment_of("bus", **msgspec.structs.asdict(on.settings)),
        **warehouse.environment,
        "TICKHOUSE_RUN__STRATEGY": "scripted",
        "TICKHOUSE_SIGNALS__SCRIPTED_HORIZON_S": "60",
    }
    bus = connect(on.settings, "test")
    feeds = Feeds(bus)
    sharded = Flow(
        "signals", tmp_path / "a", common | {"TICKHOUSE_CLICKHOUSE__DATABASE": "sharded"}
    )
    sharded.start(2)
    feeds.publish(0.3, 0.05)
    sharded.kill_one()
    sharded.start(2)
    feeds.publish(0.5, 0.05)
    assert sharded.drain() == [0, 0], sharded.log.read_text()[-3000:]
    sharded.start(3)
    feeds.publish(0.8, 0.05)
    assert sharded.drain() == [0, 0, 0], sharded.log.read_text()[-3000:]
    sharded.start(1)
    feeds.publish(1.0, 0.05)
    assert sharded.drain() == [0], sharded.log.read_text()[-3000:]
    signals = ids(bus)
    alone = Flow("signals", tmp_path / "b", common | {"TICKHOUSE_CLICKHOUSE__DATABASE": "alone"})
    alone.start(1)
    time.sleep(5)
    assert alone.drain() == [0], alone.log.read_text()[-3000:]
    stored = features(warehouse, "sharded")
    assert [symbol for symbol, _, _ in stored] == sorted(SYMBOLS)
    assert stored == features(warehouse, "alone")
    assert len(signals) > 0
    assert len(signals) == len(set(signals))
    assert ids(bus) == signals  # alone, it decided the same: the bus dropped all of it
    bus.close()


def apply_to(server, settings):
    """Database and tables."""
    from adapters.clickhouse import client

    server.client.command(f"CREATE DATABASE IF NOT EXISTS {settings.database}")
    connection = client.connect(settings)
    server.clients.append(connection)
    apply(connection, NAMES)


def ids(bus):
    """Of all signals that a reader of the topic sees."""
    subscriber, signal_ids = bus.subscribe(SIGNALS), []
    end = bus.end(SIGNALS)
    while subscriber.position() < end:
        message = subscriber.next(1.0)
        if message:
            signal_ids.append(codec.decode(SIGNALS.name, message.payload).signal_id)
    subscriber.close()
    return signal_ids
