"""A replay on three brokers while brokers, processes and links fail: as if nothing had been."""

import time

import pytest

from tests.chaos.proxy import Proxy
from tests.cluster.brokers import Cluster
from tests.cluster.hosts import hosts, missing
from tests.cluster.paced import kill
from tests.e2e.replay_runs import checksums, finished
from tests.kafka.broker import Broker, Ports

pytestmark = [pytest.mark.process, pytest.mark.cluster, pytest.mark.timeout(600)]


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
