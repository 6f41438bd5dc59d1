"""The same replay through NATS, through Kafka, and there on four processes per flow: the same rows
and orders, ids included.
"""

import pytest
from confluent_kafka.admin import AdminClient

from tests.e2e.replay_runs import checksums, cut, replay

pytestmark = [pytest.mark.process, pytest.mark.slow]

MEASURED = {"wall_s", "train_s", "train_cpu_s", "total_s", "ticks_per_s", "latency_us", "stream_s"}


@pytest.fixture(scope="module")
def arguments(recordings, tmp_path_factory):
    """Two feeds of the same hours around a release of US payrolls, traded by a fixed rule."""
    folder = tmp_path_factory.mktemp("ticks")
    files = [
        cut(recordings / "ticks" / "EURUSD_oanda.parquet", folder, 52_000, 15_000),
        cut(recordings / "ticks" / "XAUUSD_oanda.parquet", folder, 250_000, 30_000),
    ]
    return [*map(str, files), "--strategy", "scripted"]


def test_nats_and_kafka_give_the_same_signals_and_orders(arguments, kafka, tmp_path):
    results, rows = {}, {}
    for name, url, shards in (("nats", "", 1), ("kafka", kafka.url, 1), ("four", kafka.url, 4)):
        home = tmp_path / name
        results[name] = replay(
            home, arguments, TICKHOUSE_BUS__KIND="kafka" if url else "nats",
            TICKHOUSE_BUS__URL=url, TICKHOUSE_BUS__TOPIC_PREFIX="same.",
            TICKHOUSE_STREAMS__SHARDS=str(shards),
        )  # fmt: skip
        rows[name] = checksums(home, results[name]["run_id"])
    assert results["kafka"]["reconciled"]
    assert results["kafka"]["orders"] > 0
    same = [{k: v for k, v in r.items() if k not in MEASURED} for r in results.values()]
    assert same[0] == same[1] == same[2]
    assert rows["nats"] == rows["kafka"] == rows["four"]
    left = AdminClient({"bootstrap.servers": kafka.address}).list_topics(timeout=10).topics
    assert [name for name in left if name.startswith("same.")] == []
