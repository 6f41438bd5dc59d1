"""What is told unasked: alerts, the trading state, fills. To every chat of the list.

An alert is told once, also across restarts. Fills and states of before the start are no news.
"""

import asyncio
from collections.abc import Callable, Collection, Iterable, Iterator

from bot import desk_texts
from bot.commands import Commands
from bot.memory import Memory
from bot.outgoing import Outgoing
from dashboards.live.items import Items

_EVERY_S = 0.5


class News:
    """Watches items.

    Args:
        tells: which of alerts, trading and fills.
        chats: who hears it.
        since_us: when the process started.
    """

    def __init__(
        self, items: Items, memory: Memory, commands: Commands, tells: Collection[str],
        chats: Iterable[int], since_us: int,
    ) -> None:  # fmt: skip
        self._items, self._memory, self._commands = items, memory, commands
        self._tells, self._chats, self._since_us = tells, tuple(chats), since_us
        self._fills: set[str] = set()
        self._states: dict[str, str] = {}

    async def run(self, say: Callable[[Outgoing], None]) -> None:
        """Tell for ever."""
        while True:
            for out in self.newest():
                say(out)
            await asyncio.sleep(_EVERY_S)

    def newest(self) -> list[Outgoing]:
        """What has not been told yet."""
        alerts, trading, fills = list(self._alerts()), list(self._trading()), list(self._filled())
        parts = {"alerts": alerts, "trading": trading, "fills": fills}
        return [out for name, part in parts.items() if name in self._tells for out in part]

    def _alerts(self) -> Iterator[Outgoing]:
        if "alerts" not in self._items:  # they have not been read yet
            return
        firing = {str(one["id"]): one for one in desk_texts.values(self._items, "alert|")}
        for name in sorted(self._memory.know_alerts(set(firing))):
            for chat in self._chats:
                yield self._commands.alert(firing[name], chat)

    def _trading(self) -> Iterator[Outgoing]:
        for key in self._items.keys("risk|"):
            risk = self._items.get(key)
            before, self._states[key] = self._states.get(key), risk["state"]
            if risk["state"] == (before or "active") or risk["since"] < self._since_us:
                continue
            text = f"Trading of {risk['account']} is {risk['state'].upper()}"
            why = f" by {risk['by']}: {risk['reason']}" if risk["by"] else ""
            yield from (Outgoing(chat, text + why, "trading") for chat in self._chats)

    def _filled(self) -> Iterator[Outgoing]:
        known = set(self._items.keys("fill|"))
        for key in sorted(known - self._fills):
            fill = self._items.get(key)
            if fill["time"] >= self._since_us:
                text = desk_texts.fill(fill)
                yield from (Outgoing(chat, text, "fills") for chat in self._chats)
        self._fills = known
