"""The collector next to a terminal: polls each symbol and publishes what is new, for ever.

Where it stands is the newest message of each feed on the bus, nothing else: a collector that
died, or a bus that lost its last messages, goes on from what is really stored.
"""

import threading
import time

from adapters.bus.base import Publisher
from adapters.mt5.protocol.constants import COPY_TICKS_ALL
from adapters.mt5.protocol.terminal import Terminal
from adapters.mt5.real.symbols import resolve
from core import instruments
from core.clock import Clock
from core.contracts import codec
from core.contracts.tick import TickBatch
from core.crashpoint import reach
from core.errors import UnavailableError
from core.health import Health
from core.metrics import Histograms
from core.quality import FeedState
from core.settings import Settings
from core.topics import TICKS
from streams.feed import Feed

_REST_S = 0.25  # so late may a signal to stop be


class LiveCollector:
    """Polls the feeds of one terminal."""

    def __init__(
        self,
        bus: Publisher,
        terminal: Terminal,
        settings: Settings,
        clock: Clock,
        histograms: Histograms,
    ) -> None:
        self._bus, self._terminal, self._settings = bus, terminal, settings
        self._clock, self._histograms = clock, histograms
        self._names = _names(terminal, settings)
        self._asked_msc = 0  # the newest ticks that were asked for, of the feed asked first
        self._waits = True  # until the terminal says that it cannot
        self._feeds = [self._open(source, symbol) for source, symbol in self._names]

    def run(self, stopping: threading.Event, health: Health) -> None:
        """Poll until `stopping`. A terminal that does not answer is reported and asked again."""
        pause_s = self._settings.collector.poll_ms / 1000
        health.set("ready", f"{len(self._feeds)} symbols")
        while not stopping.is_set():
            self._asked_msc = self._clock.now_us() // 1000
            silent = [feed.key for feed in self._feeds if not self._poll(feed)]
            if stopping.is_set():
                pass  # a terminal that ends with us is no news, and not waited for
            elif silent:
                code, text = self._terminal.last_error()
                health.set("degraded", f"no ticks for {', '.join(silent)}: {code} {text}")
                stopping.wait(0.5)
                self._terminal.initialize()
            elif health.status != "ready":
                health.set("ready", f"{len(self._feeds)} symbols")
            self._bus.flush()
            stopping.wait(pause_s)
            if not silent and not stopping.is_set():
                self._rest()

    def _rest(self) -> None:
        """Where the terminal tells of the next tick, nobody asks until there is one."""
        wait = getattr(self._terminal, "wait_for_ticks", None)
        if wait is not None and self._waits:
            self._waits = wait(list(self._names.values()), self._asked_msc, _REST_S)

    def _open(self, source: str, symbol: str) -> Feed:
        settings = self._settings
        feed = Feed(
            settings.run,
            source,
            symbol,
            origin=f"terminal since {self._clock.now_us()}",
            known=symbol in instruments.known(),
            future_tolerance_s=settings.collector.future_tolerance_s,
        )
        last = self._bus.last(TICKS, feed.key)
        content = codec.decode(TICKS.name, last.payload) if last else None
        if isinstance(content, TickBatch):
            tick = content.ticks[-1]
            feed.offset = content.offset + len(content.ticks)
            feed.state = FeedState.resume(
                source, symbol, int(tick["time_msc"]), int(tick["seq"]), feed.offset
            )
        else:
            back_ms = settings.collector.backfill_minutes * 60_000
            feed.state = FeedState.resume(
                source, symbol, self._clock.now_us() // 1000 - back_ms, -1, 0
            )
        return feed

    def _poll(self, feed: Feed) -> bool:
        """Publish the new ticks of one feed; False when the terminal does not answer."""
        started = time.perf_counter_ns()
        cursor_msc, _ = feed.state.cursor
        now_us = self._clock.now_us()
        raw = self._terminal.copy_ticks_range(
            self._names[feed.source, feed.symbol], cursor_msc / 1000, now_us / 1e6, COPY_TICKS_ALL
        )
        if raw is None:
            return False
        # Bounds are inclusive, so the boundary millisecond comes again: skip what was taken.
        new = raw[raw["time_msc"] >= cursor_msc]
        new = new[feed.passed(new) :]
        if len(new):
            ticks, refused = feed.check(new, now_us=now_us, recv_us=now_us)
            reach("collector.publish.before")
            feed.publish(self._bus, ticks, refused)
            reach("collector.publish.after")
            self._histograms.record("collect", time.perf_counter_ns() - started)
        return True


def _names(terminal: Terminal, settings: Settings) -> dict[tuple[str, str], str]:
    """Terminal names of the configured symbols by (source, symbol)."""
    names = resolve(terminal)
    wanted = settings.terminal.symbols
    chosen = {feed: name for feed, name in names.items() if feed[1] in wanted}
    missing = set(wanted) - {symbol for _, symbol in chosen}
    if missing:
        raise UnavailableError(
            f"the terminal has no {', '.join(sorted(missing))}; "
            f"it offers {', '.join(sorted(names.values()))} (TICKHOUSE_TERMINAL__SYMBOLS)"
        )
    return chosen
