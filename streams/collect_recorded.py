"""The collector of a replay: whole slices of recorded market time, as fast as they go.

After a crash it reads all slices again from the first, which takes a second per three million
ticks, and publishes what the bus does not have: so counts, sequence numbers and message cuts are
those of an undisturbed run.
"""

import threading
import time

from adapters.bus.base import Bus
from adapters.mt5.protocol.recorded_market import MarketSlice, RecordedMarket
from core import instruments
from core.contracts import codec
from core.contracts.tick import TickBatch, TickMarker
from core.crashpoint import reach
from core.metrics import Histograms
from core.settings import Settings
from core.topics import CONTROL, TICKS
from streams.feed import Feed

#: A recording has no "now" of its own; the end of the slice is the market's time.
_SLICES_IN_FLIGHT = 4


def collect(
    bus: Bus,
    market: RecordedMarket,
    settings: Settings,
    histograms: Histograms,
    stopping: threading.Event,
) -> None:
    """Publish all slices, wait for the model between the training part and the rest, end.

    Once `stopping` is set it leaves at the next slice, and the bus is not told of an end.
    """
    run_id = settings.run.run_id
    feeds = [_feed(settings, source, symbol) for source, symbol in market.feeds()]
    stored = {feed.key: _stored_ticks(bus, feed.key) for feed in feeds}
    done = _last_marker(bus)
    pace = _Pace(settings.collector.speed)
    number, model_known = 1, False
    while (part := market.slice(number)) is not None:
        if not part.training and not model_known:
            model_known = _announce_model(bus, run_id, part, number - 1, stopping)
        if stopping.is_set():
            return
        pace.wait_for(part.end_msc)
        started = time.perf_counter_ns()
        for feed in feeds:
            _collect_slice(bus, market, feed, part, stored[feed.key])
        if number > done:
            reach("collector.marker.before")
            _mark(bus, TickMarker(run_id, "slice", number, part.end_msc * 1000))
            reach("collector.marker.after")
        histograms.record("collect", time.perf_counter_ns() - started)
        if number % _SLICES_IN_FLIGHT == 0:
            bus.flush()
        number += 1
    last = market.slice(number - 1)
    end_us = last.end_msc * 1000 if last else 0
    _mark(bus, TickMarker(run_id, "end", number - 1, end_us))
    bus.flush()


class _Pace:
    """Holds slices back to a speed of market time; gaps such as weekends are not waited out."""

    _LONGEST_S = 2.0

    def __init__(self, speed: float) -> None:
        self._speed, self._next_s = speed, time.monotonic()
        self._before_msc: int | None = None

    def wait_for(self, end_msc: int) -> None:
        """Return when a slice that ends at this market time is due."""
        if not self._speed:
            return
        passed_s = (end_msc - (self._before_msc or end_msc)) / 1000 / self._speed
        self._before_msc = end_msc
        self._next_s = max(self._next_s, time.monotonic() - self._LONGEST_S)
        self._next_s += min(passed_s, self._LONGEST_S)
        time.sleep(max(0.0, self._next_s - time.monotonic()))


def _feed(settings: Settings, source: str, symbol: str) -> Feed:
    return Feed(
        settings.run,
        source,
        symbol,
        origin=settings.run.run_id,
        known=symbol in instruments.known(),
        future_tolerance_s=settings.collector.future_tolerance_s,
    )


def _collect_slice(
    bus: Bus, market: RecordedMarket, feed: Feed, part: MarketSlice, stored: int
) -> None:
    raw = market.slice_ticks(part.number, feed.source, feed.symbol)
    ticks, refused = feed.check(raw, now_us=time.time_ns() // 1000, recv_us=None)
    reach("collector.publish.before")
    feed.publish(bus, ticks, refused, slice_number=part.number, skip_before=stored)
    reach("collector.publish.after")


def _stored_ticks(bus: Bus, key: str) -> int:
    """How many ticks of a feed the bus has."""
    last = bus.last(TICKS, key)
    content = codec.decode(TICKS.name, last.payload) if last else None
    return content.offset + len(content.ticks) if isinstance(content, TickBatch) else 0


def _last_marker(bus: Bus) -> int:
    """The number of the newest slice whose marker the bus has."""
    last = bus.last(TICKS, "marker.slice")
    return int(codec.decode(TICKS.name, last.payload).slice) if last else 0


def _announce_model(
    bus: Bus, run_id: str, part: MarketSlice, after: int, stopping: threading.Event
) -> bool:
    """Between the training part and the rest: wait for the model and put it into the stream.

    False when it was not waited for any longer.
    """
    start_us = part.end_msc * 1000 if after == 0 else 0
    if after:
        _mark(bus, TickMarker(run_id, "train", after, start_us))
    bus.flush()
    answers = bus.subscribe(CONTROL)
    model = None
    while model is None and not stopping.is_set():
        message = answers.next(1.0)
        control = codec.decode(CONTROL.name, message.payload) if message else None
        if control and control.kind == "model" and control.run_id == run_id:
            model = control.model
    answers.close()
    if model is None:
        return False
    _mark(bus, TickMarker(run_id, "model", after, start_us, model))
    return True


def _mark(bus: Bus, marker: TickMarker) -> None:
    bus.send(
        TICKS,
        f"marker.{marker.kind}",
        codec.encode(marker),
        f"{marker.run_id}.{marker.kind}.{marker.slice}",
    )
