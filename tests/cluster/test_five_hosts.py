"""A stack on five hosts while links, brokers and processes fail: as if it had been one machine.

Three hosts have a broker each; two of these a shard of every flow, too. Terminal, collector and
execution share the fourth, the warehouse has the fifth. Hosts are network namespaces, so they are
cut off like hosts, and share this machine's disk: a home's files are seen by all.
"""

import json
import sys
import time

import pytest

from core import identity
from tests.cluster.brokers import Cluster
from tests.cluster.hosts import hosts, missing
from tests.cluster.paced import kill
from tests.e2e.replay_runs import checksums, finished
from tests.kafka.broker import Broker, Ports

pytestmark = [
    pytest.mark.process, pytest.mark.cluster, pytest.mark.timeout(900),
    pytest.mark.skipif(bool(missing()), reason=missing()),
]  # fmt: skip


def places(flows, trading, warehouse):
    """By process, the host that it runs on."""
    by_host = {
        "streams.ticks.0": flows[0], "streams.signals.0": flows[0],
        "streams.ticks.1": flows[1], "streams.signals.1": flows[1],
        "streams.executions": flows[1], "warehouse": warehouse,
        "terminal": trading, "collector": trading, "execution": trading,
    }  # fmt: skip
    return {name: host.name for name, host in by_host.items()}


@pytest.fixture
def spread(running, tmp_path):
    """The replay, started on five hosts: home, process, brokers, hosts."""
    with hosts(5) as network:
        ports = [Ports(host.address) for host in network[:3]]
        brokers = [Broker(tmp_path / f"k{n}", n, ports) for n in (1, 2, 3)]
        for broker, host in zip(brokers, network[:3], strict=True):
            broker.prefix = host.prefix
        with Cluster(brokers) as cluster:
            yield cluster, network


def test_hosts_are_cut_off_slow_and_killed_one_after_the_other(
    spread, arguments, calm, running, tmp_path
):
    cluster, network = spread
    first, second, _, trading, warehouse = network
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    # A warehouse that more than its own host reaches wants people with passwords.
    ann = identity.new_user("ann", "admin", "long enough")
    identity.save(identity.path_in(home), {ann.name: ann})
    settings = {
        **cluster.settings, "TICKHOUSE_COLLECTOR__SPEED": "80", "TICKHOUSE_STREAMS__SHARDS": "2",
        "TICKHOUSE_WAREHOUSE__LISTEN": warehouse.address,
    }  # fmt: skip
    where = json.dumps(places((first, second), trading, warehouse))
    command = [*trading.prefix, sys.executable, "-m", "tests.cluster.spread", where, "replay"]
    process = running(home, arguments, settings, command)
    time.sleep(2.0)
    for host in (first, trading, warehouse):
        host.cut()
        time.sleep(4.0)
        host.mend()
        time.sleep(2.0)
    cluster.brokers[2].kill()
    time.sleep(1.0)
    kill(home, "streams.signals.1")
    kill(home, "warehouse")
    second.flap(4.0)
    kill(home, "execution")
    cluster.brokers[2].start()
    result = finished(process)
    assert result["reconciled"]
    assert checksums(home, result["run_id"]) == calm
