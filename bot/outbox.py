"""Messages on their way out: in order, one at a time, kept while the network is away.

What does not fit takes the place of the oldest of the most frequent kind, and the next message of
that kind says how many were left out. Telegram knows no idempotency: a message whose answer was
lost is sent again, so a person may read it twice. Nothing is ever done twice by it.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import NamedTuple

from bot.door import RefusedError, TooFastError
from bot.outgoing import Kind, Outgoing
from core.clock import Clock
from core.errors import SettingsError, UnavailableError

MOST = 200
_FIRST_WAIT_S, _LONGEST_WAIT_S = 1.0, 30.0
_log = logging.getLogger(__name__)


class _LeftOut(NamedTuple):
    """Messages of a kind that did not fit."""

    number: int
    first_us: int
    last_us: int


class Outbox:
    """The queue of all chats.

    Args:
        send: sends one message; see `bot.door.Door.send`.
        tell: what is wrong with the way out, "" when nothing is; for the process's health.
    """

    def __init__(
        self,
        send: Callable[[Outgoing], Awaitable[None]],
        clock: Clock,
        tell: Callable[[str], None],
        most: int = MOST,
    ) -> None:
        self._send, self._clock, self._tell, self._most = send, clock, tell, most
        self._waiting: list[tuple[Outgoing, int]] = []
        self._left_out: dict[tuple[int, Kind], _LeftOut] = {}
        self._news = asyncio.Event()

    def put(self, out: Outgoing) -> None:
        """Send it when its turn comes."""
        self._waiting.append((out, self._clock.now_us()))
        if len(self._waiting) > self._most:
            self._leave_out()
        self._news.set()

    @property
    def waiting(self) -> int:
        """How many have not been sent."""
        return len(self._waiting)

    async def empty(self) -> None:
        """Send what waits, once each: the last words."""
        while self._waiting and not await self._send_first(_LONGEST_WAIT_S):
            pass

    async def run(self) -> None:
        """Send for ever."""
        wait_s = _FIRST_WAIT_S
        while True:
            while not self._waiting:
                self._news.clear()
                await self._news.wait()
            pause_s = await self._send_first(wait_s)
            wait_s = min(wait_s * 2, _LONGEST_WAIT_S) if pause_s else _FIRST_WAIT_S
            await asyncio.sleep(pause_s)

    async def _send_first(self, wait_s: float) -> float:
        """Send the first; how long to wait before the next try, 0 when it is done."""
        entry = self._waiting[0]
        try:
            await self._send(self._summed_up(entry[0]))
        except TooFastError as error:
            return error.wait_s
        except (UnavailableError, SettingsError) as error:
            self._tell(str(error))
            return wait_s
        except RefusedError as error:
            _log.error("a message to chat %d is dropped: %s", entry[0].chat, error)
        self._tell("")
        self._left_out.pop((entry[0].chat, entry[0].kind), None)
        if entry in self._waiting:  # it may have been left out meanwhile
            self._waiting.remove(entry)
        return 0.0

    def _summed_up(self, out: Outgoing) -> Outgoing:
        left = self._left_out.get((out.chat, out.kind))
        if left is None or out.edits:
            return out
        span = f"{_time(left.first_us)} to {_time(left.last_us)} UTC"
        return out._replace(text=f"({left.number} older, of {span}, are left out.)\n{out.text}")

    def _leave_out(self) -> None:
        """The oldest of the most frequent kind; what is being sent is the first, and stays."""
        kinds = Counter((out.chat, out.kind) for out, _ in self._waiting[1:])
        kind = kinds.most_common(1)[0][0]
        rest = enumerate(self._waiting[1:], 1)
        place = next(at for at, (out, _) in rest if (out.chat, out.kind) == kind)
        _, at_us = self._waiting.pop(place)
        before = self._left_out.get(kind, _LeftOut(0, at_us, at_us))
        self._left_out[kind] = _LeftOut(before.number + 1, before.first_us, at_us)


def _time(us: int) -> str:
    return datetime.fromtimestamp(us / 1e6, UTC).strftime("%H:%M:%S")
