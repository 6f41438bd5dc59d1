"""The exposure application: order events to exposure and message rate, kept per account.

    order_events  ->  update (state store, changelog topic)  ->  topic exposure
                                                             ->  table exposure_rate

At least once: state, output and offsets are committed together each second, in this order, and
what comes again after a crash is known by the journal's numbers (`streams/exposure.py`). A second
process of the same home's group takes over partitions and state when the first dies.
"""

import threading
from typing import Any

from quixstreams import Application, State
from quixstreams.sinks.base import BatchingSink, SinkBackpressureError, SinkBatch

from adapters.clickhouse.rows import message_columns
from adapters.clickhouse.writer import Writer
from core.contracts import codec
from core.contracts.exposure import ExposureRate
from core.contracts.order import OrderEvent, PositionState
from core.errors import UnavailableError
from core.sections import ClickhouseSettings
from core.settings import Settings
from core.topics import ORDER_EVENTS
from streams import exposure
from streams.quix import application

OUTPUT = "exposure"
_KEPT = "account"
_PAUSE_S = 1.0


def build(config: Settings) -> Application:
    """The application, ready to run.

    Raises:
        SettingsError: the bus is not Kafka.
    """
    app = application.build(config, "exposure")
    events = app.dataframe(application.topic_of(app, config, ORDER_EVENTS))
    rates = events.apply(_fold, stateful=True, expand=True)
    rates.apply(codec.encode).to_topic(application.output(app, config, OUTPUT))
    rates.sink(ExposureSink(config.clickhouse))
    return app


def _fold(payload: bytes, state: State) -> list[ExposureRate]:
    message = codec.decode(ORDER_EVENTS.name, payload)
    if not isinstance(message, OrderEvent | PositionState):
        return []
    known, rates = exposure.fold(state.get(_KEPT), message)
    state.set(_KEPT, known)
    return rates


class ExposureSink(BatchingSink):
    """Rows to the warehouse at each commit; while it is away, the application waits."""

    def __init__(self, settings: ClickhouseSettings) -> None:
        super().__init__()
        self._settings = settings
        self._at_once = threading.Event()  # no waiting in the writer: the consumer must go on
        self._at_once.set()
        self._writer: Writer | None = None

    def setup(self) -> None:
        """Nothing yet: the warehouse may come later than we do."""

    def write(self, batch: SinkBatch) -> None:
        """One block."""
        rates: list[Any] = [item.value for item in batch]
        try:
            self._writer = self._writer or Writer(self._settings, self._at_once)
            self._writer.insert("exposure_rate", message_columns(rates))
        except UnavailableError as error:
            raise SinkBackpressureError(retry_after=_PAUSE_S) from error
