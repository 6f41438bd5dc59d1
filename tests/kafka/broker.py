"""Apache Kafka brokers for tests and trials: KRaft, loopback only, small heaps, killable.

Each has two doors: `url` for anybody, and `secure_url` with TLS and a password (SCRAM is made by a
running cluster, so this one speaks PLAIN). Behind the latter `USER` may do anything, and the users
named like our roles what ACLs allow them.
"""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

import trustme
from cryptography.hazmat.primitives import serialization

from adapters.bus.roles import ROLES
from tests.kafka.jars import classpath
from tests.support.servers import free_port

USER, PASSWORD = "trader", "correct horse"
_CLUSTER = "VGlja2hvdXNlS2Fma2FDbA"
_JAVA = ("-Xms64m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto")
_START_S = 60.0


class Ports:
    """Where one broker listens."""

    def __init__(self, host: str = "127.0.0.1") -> None:
        self.host = host
        self.plain, self.secure, self.controller = free_port(), free_port(), free_port()


class Broker:
    """One broker that is a controller too. Use as a context manager.

    Args:
        directory: its configuration, log and data; made if missing.
        node: its number, from 1.
        cluster: the ports of all, of this one at place `node` - 1.
        advertised: where clients are sent instead of its own port: a proxy's.
    """

    def __init__(
        self, directory: Path, node: int = 1, cluster: Sequence[Ports] = (), advertised: int = 0
    ) -> None:
        self._directory, self._node, self._advertised = directory, node, advertised
        self._cluster = list(cluster) or [Ports()]
        self._ports = self._cluster[node - 1]
        self.port = self._ports.plain
        self.address = f"{self._ports.host}:{self._ports.plain}"
        self.url = f"kafka://{self.address}"
        self.secure_url = f"kafka://{self._ports.host}:{self._ports.secure}"
        self.ca = directory / "ca.pem"
        self._log = directory / "kafka.log"
        self._process: subprocess.Popen[bytes] | None = None
        self.prefix: tuple[str, ...] = ()  # of the command line: another network namespace
        if not directory.exists():
            self._prepare()

    def __enter__(self) -> "Broker":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        """Of the running broker."""
        assert self._process is not None
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether it was started and has not ended."""
        return self._process is not None and self._process.poll() is None

    def start(self, *, wait: bool = True) -> None:
        """Start, and wait until it accepts connections."""
        line = [*self.prefix, *self._java("384m"), "kafka.Kafka", str(self._file)]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(line, stdout=log, stderr=log)
        if wait:
            self.wait()

    def wait(self) -> None:
        """Until it accepts connections."""
        assert self._process is not None
        deadline = time.monotonic() + _START_S
        while not self._accepts():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"Kafka did not start:\n{self._log.read_text()[-3000:]}")
            time.sleep(0.05)

    def kill(self) -> None:
        """SIGKILL: nothing is written any more."""
        assert self._process is not None
        os.kill(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def stop(self) -> None:
        """End it, in an orderly way if it does so soon."""
        if self._process is None or self._process.poll() is not None:
            return
        self._process.terminate()
        try:
            self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:  # nobody needs what it would still do
            self.kill()

    @property
    def _file(self) -> Path:
        return self._directory / "server.properties"

    def _java(self, heap: str) -> tuple[str, ...]:
        return ("java", f"-Xmx{heap}", *_JAVA, "-cp", classpath())

    def _prepare(self) -> None:
        classes = self._java("128m")
        self._directory.mkdir(parents=True)
        _certify(self._directory, self._ports.host)
        self._file.write_text(self._configuration())
        subprocess.run(
            [*classes, "kafka.tools.StorageTool", "format", "-t", _CLUSTER, "-c", str(self._file)],
            check=True, capture_output=True, timeout=120,
        )  # fmt: skip

    def _configuration(self) -> str:
        mine, several = self._ports, len(self._cluster)
        voters = ",".join(
            f"{number}@{ports.host}:{ports.controller}"
            for number, ports in enumerate(self._cluster, 1)
        )
        doors = f"PLAIN://{mine.host}:{mine.plain},SECURE://{mine.host}:{mine.secure}"
        login = "org.apache.kafka.common.security.plain.PlainLoginModule required"
        users = " ".join(f'user_{name}="{PASSWORD}"' for name in (USER, *ROLES))
        return f"""\
process.roles=broker,controller
node.id={self._node}
controller.quorum.voters={voters}
listeners={doors},CONTROLLER://{mine.host}:{mine.controller}
advertised.listeners={doors.replace(f":{mine.plain}", f":{self._advertised or mine.plain}")}
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAIN
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAIN:PLAINTEXT,SECURE:SASL_SSL
sasl.enabled.mechanisms=PLAIN
listener.name.secure.plain.sasl.jaas.config={login} {users};
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:ANONYMOUS;User:{USER}
ssl.keystore.type=PEM
ssl.keystore.location={self._directory / "server.pem"}
log.dirs={self._directory / "data"}
auto.create.topics.enable=false
offsets.topic.num.partitions=1
offsets.topic.replication.factor={min(several, 3)}
transaction.state.log.num.partitions=1
transaction.state.log.replication.factor={min(several, 3)}
transaction.state.log.min.isr={min(several, 2)}
share.coordinator.state.topic.replication.factor={min(several, 3)}
share.coordinator.state.topic.min.isr={min(several, 2)}
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
log.retention.check.interval.ms=500
log.segment.delete.delay.ms=100
file.delete.delay.ms=100
log.initial.task.delay.ms=500
broker.session.timeout.ms={1000 if several == 1 else 3000}
broker.heartbeat.interval.ms=200
controller.quorum.election.timeout.ms=500
controller.quorum.fetch.timeout.ms=1000
num.network.threads=2
num.io.threads=4
log.cleaner.dedupe.buffer.size=4194304
log.cleaner.enable=false
"""

    def _accepts(self) -> bool:
        with socket.socket() as probe:
            probe.settimeout(1.0)
            return probe.connect_ex((self._ports.host, self._ports.plain)) == 0


def _certify(directory: Path, host: str) -> None:
    authority = trustme.CA()
    server = authority.issue_cert(host)
    authority.cert_pem.write_to_path(str(directory / "ca.pem"))
    key = serialization.load_pem_private_key(server.private_key_pem.bytes(), None)
    readable = key.private_bytes(  # Java reads PKCS 8 only
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    chain = b"".join(part.bytes() for part in server.cert_chain_pems)
    (directory / "server.pem").write_bytes(readable + chain)
