"""What all parts of a Kafka bus share: the brokers' state, our topics, and one thread.

The thread makes the topics once the brokers answer, calls `work` of the publisher (which serves
librdkafka's answers), and looks whether the brokers are back when they were away. librdkafka
itself reconnects for ever.
"""

import logging
import threading
import time
from collections.abc import Callable
from typing import Any

from confluent_kafka import KafkaError, KafkaException
from quixstreams.models.topics import TopicAdmin

from adapters.bus.kafka import options
from adapters.bus.kafka.topics import ensure_topics
from core.errors import SettingsError
from core.sections import BusSettings

_log = logging.getLogger(__name__)
_AGAIN_S = 0.5
_PROBE_S = 2.0
_DOWN = (KafkaError._ALL_BROKERS_DOWN, KafkaError._TRANSPORT, KafkaError._RESOLVE)
_REFUSED = {
    KafkaError._AUTHENTICATION: "authentication failed: look at bus.user, bus.password, bus.sasl",
    KafkaError._SSL: "TLS failed: look at bus.ca, bus.certificate and the broker's host name",
    KafkaError.SASL_AUTHENTICATION_FAILED: "authentication failed: look at bus.user, bus.password",
    KafkaError.TOPIC_AUTHORIZATION_FAILED: "this user may not use our topics",
    KafkaError.CLUSTER_AUTHORIZATION_FAILED: "this user may not make topics, or not write",
    KafkaError.UNSUPPORTED_VERSION: "the broker is too old or too new for this client",
}


class KafkaConnection:
    """Connects in the background; constructing it never waits.

    Raises:
        SettingsError: settings that cannot be.
    """

    def __init__(self, settings: BusSettings, name: str) -> None:
        self.settings, self.name = settings, name
        self.config = options.connection(settings, name)
        self.url = settings.url
        self.problem = "not connected yet"
        self.partitions: dict[str, int] = {}  # by topic, once `ready`
        self.refusal: SettingsError | None = None
        self.established = 0
        self.ready = threading.Event()  # or refused
        self.closing = threading.Event()
        self._up = False
        self._admin = TopicAdmin(self.config, extra_config={"error_cb": self.on_error})
        self._thread: threading.Thread | None = None

    @property
    def up(self) -> bool:
        """Whether the brokers answer, and the topics are there."""
        return self._up and self.refusal is None

    def start(self, work: Callable[[float], None]) -> None:
        """Begin; `work` is called for ever, may wait as long as it is told, and serves answers."""
        self._thread = threading.Thread(
            target=self._run, args=(work,), name=f"bus-{self.name}", daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        """End the thread."""
        self.closing.set()
        self.ready.set()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(timeout=15.0)

    def wait_ready(self, timeout_s: float) -> bool:
        """Whether the topics are known by then.

        Raises:
            SettingsError: the brokers refuse us, or the topics are not as planned.
        """
        self.ready.wait(timeout_s)
        if self.refusal is not None:
            raise self.refusal
        return bool(self.partitions)

    def cluster(self, timeout_s: float) -> Any:
        """The cluster's own description of itself, now.

        Raises:
            KafkaException: no answer; `problem` or `refusal` says why.
        """
        try:
            return self._admin.admin_client.list_topics(timeout=timeout_s)
        except KafkaException:
            self._admin.admin_client.poll(0.1)  # it tells `on_error` why
            raise

    def on_error(self, error: KafkaError) -> None:
        """What librdkafka tells of brokers; called on any thread."""
        code = error.code()
        if code in _DOWN:
            self._up = False
            if code != KafkaError._ALL_BROKERS_DOWN:  # that says less than what came before it
                self.problem = error.str()
        elif code in _REFUSED:
            self._refuse(error)
        else:
            _log.debug("kafka: %s", error)

    def answered(self) -> None:
        """A broker answered just now."""
        if not self._up and self.partitions:
            self._up = True
            self.established += 1
            self.problem = ""

    def _refuse(self, error: KafkaError) -> None:
        why = _REFUSED[error.code()]
        self._up, self.problem = False, f"{why} ({error.str()})"
        if not self.partitions:  # never was connected: nobody mends this by waiting
            self.refusal = SettingsError(f"Kafka at {self.url}: {self.problem}")
            self.ready.set()

    def _run(self, work: Callable[[float], None]) -> None:
        while not self.closing.is_set() and not self.partitions:
            self._make_ready()
        looked_s = time.monotonic()
        while not self.closing.is_set():
            work(0.1)
            if not self._up and time.monotonic() - looked_s > _AGAIN_S:
                self._probe()
                looked_s = time.monotonic()

    def _make_ready(self) -> None:
        try:
            self.partitions = ensure_topics(self._admin.admin_client, self.settings)
        except SettingsError as error:
            self.refusal = error
            self.ready.set()
            self.closing.wait(_AGAIN_S)
        except KafkaException as error:
            cause = error.args[0]
            self._admin.admin_client.poll(0.1)  # it tells `on_error` why
            if cause.code() in _REFUSED:
                self._refuse(cause)
            elif not self.problem or self.problem == "not connected yet":
                self.problem = cause.str()
            self.closing.wait(_AGAIN_S)
        else:
            self.refusal = None
            self.answered()
            self.ready.set()

    def _probe(self) -> None:
        try:
            self._admin.list_topics(timeout=_PROBE_S)
        except KafkaException as error:
            self.problem = error.args[0].str()
            self._admin.admin_client.poll(0.0)
        else:
            self.answered()
