"""What is now, for whoever shows it: the bus folded into items, the past and the alerts beside it.

The live page and the bot show one desk, so they watch it by the same means. Bus and warehouse may
be away; what comes from files (alerts, events to come) is there all the same.
"""

import asyncio
import contextlib

from adapters.bus.base import Bus
from core.clock import Clock
from core.errors import UnavailableError
from core.settings import Settings
from dashboards.live.coming_events import ComingEvents
from dashboards.live.history import History
from dashboards.live.items import Items
from dashboards.live.live_state import LiveState
from dashboards.live.reader import Reader
from dashboards.live.standing_alerts import StandingAlerts

_EVERY_S, _SELDOM_S, _FIRST_S = 0.5, 5.0, 3.0


class Now:
    """Watches from its making, in the running event loop, until `close`.

    Where the bus is away it listens as soon as that is there; what was said between is made good
    by the warehouse, which is asked again every 20 seconds.
    """

    def __init__(self, config: Settings, bus: Bus, clock: Clock) -> None:
        loop = asyncio.get_running_loop()
        self.items = Items()
        self._bus, self._clock = bus, clock
        self._live_state = LiveState(self.items, clock)
        self._live_state.market(config.terminal.kind)
        self._live_state.strategy(config.run.strategy)
        self._loop, self._account = loop, config.run.account
        self._reader: Reader | None = None
        self._has_past = False  # or cannot have it for now
        self._listen_if_there()  # before the past is asked for, so that nothing falls between
        self._history = History(config, clock, loop, self._live_state, self._release)
        alerts = StandingAlerts(config.home_path, clock, self.items)
        coming = ComingEvents(config.home_path, clock, self.items)
        self._tasks = [
            asyncio.create_task(work)
            for work in (
                self._watch(),
                _show_alerts(alerts),
                _show_coming(coming),
                self._listen_once_there(),
            )
        ]

    async def close(self) -> None:
        """Stop watching."""
        for task in self._tasks:
            task.cancel()
        await asyncio.to_thread(self._history.close)
        if self._reader is not None:
            await asyncio.to_thread(self._reader.close)

    def _listen_if_there(self) -> None:
        if not self._bus.healthy():
            return
        with contextlib.suppress(UnavailableError):
            self._reader = Reader(self._bus, self._loop, self._live_state.take, self._account)
            if self._has_past:
                self._reader.release()

    async def _listen_once_there(self) -> None:
        while self._reader is None:
            await asyncio.sleep(_EVERY_S)
            self._listen_if_there()

    def _release(self) -> None:
        self._has_past = True
        if self._reader is not None:
            self._reader.release()

    async def _watch(self) -> None:
        """Tells viewers the time, so that they see what is late, and whether the bus answers."""
        while True:
            now_us = self._clock.now_us()
            self.items.put("now", now_us)
            self._live_state.link("bus", self._bus.healthy(), now_us, "no connection")
            await asyncio.sleep(_EVERY_S)


async def first_answer(bus: Bus) -> None:
    """Wait until the bus answers, for three seconds at most: it connects in the background."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_FIRST_S):
            while not bus.healthy():
                await asyncio.sleep(0.01)


async def _show_coming(coming: ComingEvents) -> None:
    """Shows the events that come; their file is small, and read when it has changed."""
    while True:
        coming.show()
        await asyncio.sleep(_SELDOM_S)


async def _show_alerts(alerts: StandingAlerts) -> None:
    """Shows what fires, soon after `watch` or a person has written it."""
    while True:
        alerts.show(await asyncio.to_thread(alerts.read))
        await asyncio.sleep(_EVERY_S)
