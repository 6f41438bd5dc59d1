"""The newest prediction of each feed to the bus, for the people who look at it.

Nothing waits for it: the flow leaves a reference, a thread takes the newest of each feed a few
times a second, makes the message and queues it. What was replaced in between is in the table.
While the bus is away nothing is queued, so that it comes back to what holds now. A replay has
none of this: it is looked at in its tables.
"""

import logging
import threading

from adapters.bus.base import Bus
from core.clock import Clock
from core.contracts import codec
from core.contracts.prediction import Prediction
from core.errors import TickhouseError
from core.sections import RunSettings
from core.topics import PREDICTIONS
from streams.records import Predicted

_log = logging.getLogger(__name__)
EVERY_S = 0.1
#: Sending one costs some 0.1 ms of the interpreter that decides; so many feeds at each look
#: bound that to a hundredth of its time, however many there are. The others have their turn next.
FEEDS_AT_ONCE = 8


class Announcer:
    """Sends until `stopping` is set. `see` is for the flow's thread and never blocks."""

    def __init__(self, bus: Bus, run: RunSettings, clock: Clock, stopping: threading.Event) -> None:
        self._bus, self._run, self._clock, self._stopping = bus, run, clock, stopping
        self._newest: dict[str, Predicted] = {}
        threading.Thread(target=self._send_until_stopped, name="announcer", daemon=True).start()

    def note(self, predicted: Predicted) -> None:
        """Remember what was said, if a model spoke."""
        if predicted.predictions is not None:
            self._newest[f"{predicted.sampled.source}.{predicted.sampled.symbol}"] = predicted

    def _send_until_stopped(self) -> None:
        while not self._stopping.wait(EVERY_S):
            self.send_newest()

    def send_newest(self) -> None:
        """Queue what has changed since the last time, those that wait longest first."""
        if not self._newest or not self._bus.healthy():
            return
        for feed in list(self._newest)[:FEEDS_AT_ONCE]:  # the flow may add while this runs
            message = self._message(self._newest.pop(feed))
            try:
                self._bus.send(PREDICTIONS, feed, codec.encode(message))
            except TickhouseError as error:  # the next one is as good
                _log.warning("a prediction was not announced: %s", error)

    def _message(self, predicted: Predicted) -> Prediction:
        sampled, predictions, edge = predicted.sampled, predicted.predictions, predicted.edge_bp
        assert predictions is not None
        down, flat, up = (float(p) for p in predictions.probabilities[-1])
        return Prediction(
            run_id=sampled.run_id, mode=sampled.mode, account=self._run.account,
            source=sampled.source, symbol=sampled.symbol,
            ts_event_us=int(sampled.time_msc[-1]) * 1000, seq=int(sampled.seq[-1]),
            ts_init_us=self._clock.now_us(), model=predicted.model, p_down=down, p_flat=flat,
            p_up=up, confidence=max(down, up), agreement=float(predictions.agreement[-1]),
            veto=bool(predictions.veto[-1]), edge_bp=0.0 if edge is None else float(edge[-1]),
        )  # fmt: skip
