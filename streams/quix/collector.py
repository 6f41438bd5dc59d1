"""The collector as a Quix `Source`: the same polling, on a producer that Quix Streams keeps.

Quix Streams runs it in a process of its own and starts no other part of the application before
it is configured. Where each feed stands is the newest message of it on the bus, as ever; a tick
that is published again after a crash has its id, which readers know.
"""

import os
from functools import partial

from quixstreams import Application
from quixstreams.sources import Source

from adapters.bus import select
from adapters.bus.base import Bus, Message
from adapters.bus.join import join
from adapters.bus.kafka.ids import HEADER
from adapters.bus.kafka.publisher import partition_of
from adapters.mt5 import connect
from core import log
from core.clock import SystemClock
from core.errors import UnavailableError
from core.metrics import Histograms
from core.process import Process, Stopping
from core.settings import Settings
from core.topics import TICKS, Topic
from streams.collect_live import LiveCollector
from streams.quix import application


def build(config: Settings) -> Application:
    """The application, ready to run.

    Raises:
        SettingsError: the bus is not Kafka.
    """
    app = application.build(config, "collector")
    app.add_source(CollectorSource(config), topic=application.topic_of(app, config, TICKS))
    return app


class CollectorSource(Source):
    """Polls the terminal for ever and produces what is new."""

    def __init__(self, config: Settings) -> None:
        super().__init__(name="collector")
        self._config = config
        self._stopping: Stopping | None = None  # made in the source's own process

    def run(self) -> None:
        """Until stopped."""
        log.setup("quix.collector")
        self._stopping = Stopping()  # signals are the framework's, which calls `stop`
        run = self._config.home_path / "run"
        with Process("collector", run, self._stopping, pid=os.getppid()) as process:
            self._collect(process)

    def _collect(self, process: Process) -> None:
        config, histograms = self._config, Histograms()
        stopping = process.stopping
        rpc = partial(select.door, config.bus, role="collector", stopping=stopping)
        terminal = connect.terminal(
            config.terminal, config.home_path, rpc, role="collector", stopping=stopping
        )
        process.closing(terminal.shutdown)
        bus = SourceBus(self, join(process, config, "collector", histograms))
        live = LiveCollector(bus, terminal, config, SystemClock(), histograms)
        live.run(stopping, process.health)

    def stop(self) -> None:
        """End `run` soon."""
        super().stop()
        if self._stopping is not None:
            self._stopping.soon()  # in a signal handler


class SourceBus:
    """A Publisher of topic ticks: the source produces, the bus tells what was last."""

    def __init__(self, source: Source, bus: Bus) -> None:
        self._source, self._bus = source, bus
        self._partitions = bus.partitions(TICKS)

    def publish(
        self, topic: Topic, key: str, payload: bytes, message_id: str = "", timeout_s: float = 60.0
    ) -> int:
        """Not needed by a collector, and so through the bus itself."""
        return self._bus.publish(topic, key, payload, message_id, timeout_s)

    def send(self, topic: Topic, key: str, payload: bytes, message_id: str = "") -> None:
        """Produce a message to the partition that the bus gives its key."""
        self._source.produce(
            payload,
            key,
            headers={HEADER: message_id} if message_id else None,
            partition=partition_of(key, self._partitions),
        )

    def flush(self, timeout_s: float = 60.0) -> None:
        """Return when all that was sent is stored.

        Raises:
            UnavailableError: the brokers stayed away.
        """
        try:
            self._source.flush(timeout_s)
        except Exception as error:  # of Quix Streams' several; what was sent is still queued
            raise UnavailableError(f"ticks wait for Kafka: {error}") from error

    def last(self, topic: Topic, key: str | None = None) -> Message | None:
        """The newest stored message of a topic, or of one key of it."""
        return self._bus.last(topic, key)

    def close(self) -> None:
        """The bus belongs to who made it."""
