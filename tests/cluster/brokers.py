"""Three Kafka brokers, and who leads."""

import time

from confluent_kafka.admin import AdminClient

from tests.kafka.broker import Broker


class Cluster:
    """Started and stopped together; `settings` are those of who uses them."""

    def __init__(self, brokers: list[Broker]) -> None:
        self.brokers = brokers
        self.settings = {
            "TICKHOUSE_BUS__KIND": "kafka",
            "TICKHOUSE_BUS__URL": "kafka://" + ",".join(b.address for b in brokers),
            "TICKHOUSE_BUS__REPLICATION": str(len(brokers)),
        }

    def __enter__(self) -> "Cluster":
        """Start all."""
        for broker in self.brokers:
            broker.start(wait=False)
        for broker in self.brokers:
            broker.wait()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop all."""
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
