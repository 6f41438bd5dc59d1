"""What is now, for whoever shows it: the bus folded into items, the past and the alerts beside it.

The live page and the bot show one desk, so they watch it by the same means. Bus and warehouse may
be away; what comes from files (alerts, events to come) is there all the same.
"""

import asyncio

from adapters.bus.base import Bus
from core.clock import Clock
from core.settings import Settings
from dashboards.live.coming_events import ComingEvents
from dashboards.live.history import History
from dashboards.live.items import Items
from dashboards.live.live_state import LiveState
from dashboards.live.reader import Reader
from dashboards.live.standing_alerts import StandingAlerts

_EVERY_S, _SELDOM_S = 0.5, 5.0


class Now:
    """Watches from its making, in the running event loop, until `close`."""

    def __init__(self, config: Settings, bus: Bus, clock: Clock) -> None:
        loop = asyncio.get_running_loop()
        self.items = Items()
        self._bus, self._clock = bus, clock
        self._live_state = LiveState(self.items, clock)
        self._live_state.market(config.terminal.kind)
        self._live_state.strategy(config.run.strategy)
        self._reader = Reader(bus, loop, self._live_state.take, config.run.account)
        self._history = History(config, clock, loop, self._live_state, self._reader.release)
        alerts = StandingAlerts(config.home_path, clock, self.items)
        coming = ComingEvents(config.home_path, clock, self.items)
        self._tasks = [
            asyncio.create_task(work)
            for work in (self._watch(), _show_alerts(alerts), _show_coming(coming))
        ]

    async def close(self) -> None:
        """Stop watching."""
        for task in self._tasks:
            task.cancel()
        await asyncio.to_thread(self._history.close)
        await asyncio.to_thread(self._reader.close)

    async def _watch(self) -> None:
        """Tells viewers the time, so that they see what is late, and whether the bus answers."""
        while True:
            now_us = self._clock.now_us()
            self.items.put("now", now_us)
            self._live_state.link("bus", self._bus.healthy(), now_us, "no connection")
            await asyncio.sleep(_EVERY_S)


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
