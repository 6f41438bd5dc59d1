"""A replay on three brokers while brokers, processes and links fail: as if nothing had been."""

import os
import signal
import time

import pytest
from confluent_kafka.admin import AdminClient

from tests.chaos.proxy import Proxy
from tests.cluster.hosts import hosts, missing
from tests.e2e.replay_runs import checksums, cut, finished, pid_of, replay, start_replay
from tests.kafka.broker import Broker, Ports

pytestmark = [pytest.mark.process, pytest.mark.cluster, pytest.mark.timeout(600)]

SLICES = {"TICKHOUSE_COLLECTOR__SLICE_TICKS": "500"}
PACE = {"TICKHOUSE_COLLECTOR__SPEED": "300"}


class Cluster:
    """Three brokers, and who leads."""

    def __init__(self, brokers: list[Broker]) -> None:
        self.brokers = brokers
        self.settings = {
            "TICKHOUSE_BUS__KIND": "kafka",
            "TICKHOUSE_BUS__URL": "kafka://" + ",".join(b.address for b in brokers),
            "TICKHOUSE_BUS__REPLICATION": str(len(brokers)),
        }

    def __enter__(self) -> "Cluster":
        for broker in self.brokers:
            broker.start(wait=False)
        for broker in self.brokers:
            broker.wait()
        return self

    def __exit__(self, *_: object) -> None:
        for broker in self.brokers:
            broker.stop()

    def leader(self) -> int:
        """The index of the broker that leads the replay's ticks, once there are some."""
        addresses = ",".join(b.address for b in self.brokers)
        admin = AdminClient({"bootstrap.servers": addresses})
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            topics = admin.list_topics(timeout=20).topics
            ticks_topics = [t for name, t in topics.items() if name.endswith(".ticks")]
            if ticks_topics and ticks_topics[0].partitions:
                return ticks_topics[0].partitions[0].leader - 1
            time.sleep(0.2)
        raise AssertionError(f"the replay made no topics: {sorted(topics)}")


@pytest.fixture(scope="module")
def arguments(recordings, tmp_path_factory):
    folder = tmp_path_factory.mktemp("ticks")
    files = [
        cut(recordings / "ticks" / "EURUSD_oanda.parquet", folder, 52_000, 12_000),
        cut(recordings / "ticks" / "XAUUSD_oanda.parquet", folder, 250_000, 24_000),
    ]
    return [*map(str, files), "--strategy", "scripted"]


@pytest.fixture(scope="module")
def calm(arguments, tmp_path_factory):
    """Row checksums of a replay through NATS that nobody disturbed."""
    home = tmp_path_factory.mktemp("calm")
    result = replay(home, arguments, **SLICES)
    assert result["orders"] > 0
    return checksums(home, result["run_id"])


@pytest.fixture
def running():
    """Starts a paced replay; one that a failed test left is ended."""
    started = []

    def run(home, arguments, settings):
        started.append(_started(home, arguments, settings))
        return started[-1]

    yield run
    for process in started:
        if process.poll() is None:
            process.terminate()
            process.communicate(timeout=120)


def _started(home, arguments, settings):
    process = start_replay(home, arguments, **SLICES, **PACE, **settings)
    deadline = time.monotonic() + 90
    while not (home / "run" / "execution.json").exists():
        assert process.poll() is None, process.communicate()[1][-3000:]
        assert time.monotonic() < deadline, "execution never ran"
        time.sleep(0.1)
    return process


def kill(home, name):
    pid = pid_of(home, name)
    assert pid, f"{name} had ended already: the replay is too short"
    os.kill(pid, signal.SIGKILL)


def test_the_leader_a_flow_and_execution_are_killed(arguments, calm, running, tmp_path):
    ports = [Ports() for _ in range(3)]
    with Cluster([Broker(tmp_path / f"k{n}", n, ports) for n in (1, 2, 3)]) as cluster:
        home = tmp_path / "home"
        process = running(home, arguments, cluster.settings)
        leader = cluster.brokers[cluster.leader()]
        time.sleep(2.0)
        leader.kill()
        time.sleep(1.0)
        kill(home, "streams.signals")
        time.sleep(1.0)
        kill(home, "execution")
        time.sleep(3.0)
        leader.start()
        result = finished(process)
        assert result["reconciled"]
        assert checksums(home, result["run_id"]) == calm


@pytest.mark.skipif(bool(missing()), reason=missing())
def test_the_leaders_link_is_taken_down_and_comes_back(arguments, calm, running, tmp_path):
    with hosts(3) as network:
        ports = [Ports(host.address) for host in network]
        brokers = [Broker(tmp_path / f"k{n}", n, ports) for n in (1, 2, 3)]
        for broker, host in zip(brokers, network, strict=True):
            broker.prefix = host.prefix
        with Cluster(brokers) as cluster:
            home = tmp_path / "home"
            process = running(home, arguments, cluster.settings)
            cut_off = network[cluster.leader()]
            time.sleep(2.0)
            cut_off.cut()
            time.sleep(8.0)
            cut_off.mend()
            result = finished(process)
            assert result["reconciled"]
            assert checksums(home, result["run_id"]) == calm


def test_the_way_to_the_broker_is_slow_swallows_and_breaks(arguments, calm, running, tmp_path):
    ports = Ports()
    with Proxy(ports.plain) as proxy:
        broker = Broker(tmp_path / "k", 1, [ports], advertised=proxy.port)
        with broker:
            home = tmp_path / "home"
            settings = {
                "TICKHOUSE_BUS__KIND": "kafka",
                "TICKHOUSE_BUS__URL": f"kafka://127.0.0.1:{proxy.port}",
            }
            process = running(home, arguments, settings)
            time.sleep(3.0)
            proxy.lag_s = 0.05
            time.sleep(2.0)
            proxy.swallows = True
            time.sleep(0.5)
            proxy.cut()
            proxy.refuses = True
            time.sleep(2.0)
            proxy.heal()
            time.sleep(1.0)
            proxy.cut()
            result = finished(process)
            assert result["reconciled"]
            assert checksums(home, result["run_id"]) == calm
