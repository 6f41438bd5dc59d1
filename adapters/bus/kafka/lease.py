"""Implements LeasePlace on a compacted topic: whoever writes an account's record shuts out others.

Kafka compares nothing when it stores. But of all producers with one transactional id, which here
names the account, the newest to come shuts the others out: they can commit nothing any more. So
who replaces a record first becomes that producer, then reads what is there, which cannot change
now, and writes only if it is the record he knew. A producer that was shut out learns it from his
next commit, and begins in the same way.
"""

import logging
import time
from typing import Any

from confluent_kafka import (
    OFFSET_BEGINNING,
    Consumer,
    KafkaError,
    KafkaException,
    Message,
    Producer,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient

from adapters.bus.bus_key import checked
from adapters.bus.kafka import options
from adapters.bus.kafka.topics import ensure_leases
from adapters.bus.lease import ChangedError, Written
from core.errors import UnavailableError
from core.sections import BusSettings

_SILENT = logging.Logger("librdkafka", logging.CRITICAL + 1)  # what fails is raised
_PAUSE_S = 0.1
_POLL_S = 0.2
_SHUT_OUT = (
    KafkaError._FENCED,
    KafkaError.PRODUCER_FENCED,
    KafkaError.INVALID_PRODUCER_EPOCH,
    KafkaError.INVALID_TXN_STATE,
)


class KafkaLease:
    """The record of one account. One thread at a time.

    Raises:
        SettingsError: settings that cannot be.
        MessageError: an account that the bus cannot carry.
    """

    def __init__(self, settings: BusSettings, account: str, name: str) -> None:
        self._settings, self._account = settings, checked(account)
        self._config = options.connection(settings, name).as_librdkafka_dict(plaintext_secrets=True)
        self._topic = ""  # once it is there
        self._consumer: Consumer | None = None
        self._next, self._newest = OFFSET_BEGINNING, Written(b"", 0)
        self._producer: Producer | None = None

    def read(self, timeout_s: float) -> Written | None:
        """See LeasePlace."""
        deadline = time.monotonic() + timeout_s
        while True:
            try:
                self._read(deadline)
            except KafkaException as error:
                if time.monotonic() > deadline:
                    raise self._away(error) from error
                time.sleep(_PAUSE_S)
            else:
                return self._newest if self._newest.sequence else None

    def replace(self, payload: bytes, known: int, timeout_s: float) -> int:
        """See LeasePlace."""
        deadline = time.monotonic() + timeout_s
        while True:
            try:
                return self._replace(payload, known, deadline)
            except KafkaException as error:
                self._producer = None
                # Who shut us out may have found that he came too late, and left all as it was.
                if error.args[0].code() not in _SHUT_OUT or time.monotonic() > deadline:
                    raise self._away(error) from error

    def close(self) -> None:
        """See LeasePlace."""
        self._producer = None
        if self._consumer is not None:
            self._consumer.close()
            self._consumer = None

    def _replace(self, payload: bytes, known: int, deadline: float) -> int:
        if self._producer is None:
            producer = self._only_writer(deadline)
            self._read(deadline)
            self._producer = producer
        if self._newest.sequence != known:
            self._producer = None
            raise ChangedError(f"{self._topic}, {self._account}: another record is there")
        self._newest = self._write(self._producer, payload, deadline)
        return self._newest.sequence

    def _only_writer(self, deadline: float) -> Producer:
        """The producer of this account: whoever was it before commits nothing from now on."""
        producer = Producer(
            self._config
            | options.producer_options(self._settings)
            | {
                "transactional.id": f"{self._settings.topic_prefix}lease.{self._account}",
                "transaction.timeout.ms": 10_000,  # of one who died within
                "message.timeout.ms": 10_000,
            },
            logger=_SILENT,
        )
        producer.init_transactions(_left_s(deadline))
        return producer

    def _write(self, producer: Producer, payload: bytes, deadline: float) -> Written:
        stored: list[int] = []

        def note(error: KafkaError | None, message: Message) -> None:
            if error is None:
                stored.append(int(message.offset() or 0) + 1)

        producer.begin_transaction()
        producer.produce(self._topic, payload, self._account.encode(), 0, on_delivery=note)
        producer.commit_transaction(_left_s(deadline))
        return Written(payload, stored[0])

    def _read(self, deadline: float) -> None:
        """What is committed up to now, from where we were."""
        if not self._topic:
            self._topic = ensure_leases(AdminClient(self._config), self._settings)
        if self._consumer is None:
            self._consumer = Consumer(
                self._config | _READING | {"group.id": self._topic}, logger=_SILENT
            )
        self._consumer.assign([TopicPartition(self._topic, 0, self._next)])
        try:
            while not self._at_end(self._consumer.poll(_POLL_S)):
                if time.monotonic() > deadline:
                    raise KafkaException(KafkaError(KafkaError._TIMED_OUT))
        finally:
            self._consumer.unassign()

    def _at_end(self, message: Message | None) -> bool:
        if message is None:
            return False
        if (error := message.error()) is not None:
            if error.code() == KafkaError._PARTITION_EOF:
                return True
            raise KafkaException(error)
        self._next = int(message.offset() or 0) + 1
        if message.key() == self._account.encode():
            value = message.value()
            self._newest = Written(value if isinstance(value, bytes) else b"", self._next)
        return False

    def _away(self, error: KafkaException) -> UnavailableError:
        why = error.args[0].str()
        return UnavailableError(f"no lease from the bus at {self._settings.url} ({why})")


#: Only what is committed, and the end is told at once.
_READING: dict[str, Any] = options.consumer_options() | {
    "enable.partition.eof": True,
    "enable.auto.commit": False,
    "auto.offset.reset": "earliest",
    "fetch.wait.max.ms": 10,
}


def _left_s(deadline: float) -> float:
    return max(deadline - time.monotonic(), 0.01)
