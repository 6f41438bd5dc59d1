"""The bus into the world: one thread per topic, one event loop that applies what they read.

Messages of one topic keep their order. Until the past is loaded they wait, so that a page that
starts late shows one story in one order. What was said just before we came may not be stored
yet, and the trading state is said once, when it changes: its topic is read from the last word on.
"""

import asyncio
import threading
from collections import deque
from collections.abc import Callable

from adapters.bus.base import Bus, Message
from core import topics
from core.topics import Topic

TOPICS = (
    topics.TICKS,
    topics.SIGNALS,
    topics.ORDER_EVENTS,
    topics.RISK,
    topics.PREDICTIONS,
    topics.HEARTBEATS,
    topics.CONTROL,
)


class Reader:
    """Reads all topics from now on until closed, and what was last said of the account's risk.

    take: called in the event loop with each message, once `release` has been called.
    """

    def __init__(
        self,
        bus: Bus,
        loop: asyncio.AbstractEventLoop,
        take: Callable[[Message], None],
        account: str,
    ) -> None:
        self._loop, self._take = loop, take
        self._waiting: deque[Message] = deque()
        self._lock = threading.Lock()
        self._scheduled = self._released = False
        self._closing = threading.Event()
        self._subscribers = [bus.subscribe(topic, _start(bus, topic, account)) for topic in TOPICS]
        self._threads = [
            threading.Thread(target=self._read, args=(at,), name=topic.name, daemon=True)
            for at, topic in enumerate(TOPICS)
        ]
        for thread in self._threads:
            thread.start()

    def release(self) -> None:
        """Apply what waits, and from now on what comes."""
        self._released = True
        self._apply()

    def close(self) -> None:
        """Stop reading."""
        self._closing.set()
        for subscriber in self._subscribers:
            subscriber.close()
        for thread in self._threads:
            thread.join(timeout=2.0)

    def _read(self, at: int) -> None:
        subscriber = self._subscribers[at]
        while not self._closing.is_set():
            message = subscriber.next(0.5)
            if message is not None:
                self._arrived(message)

    def _arrived(self, message: Message) -> None:
        with self._lock:
            self._waiting.append(message)
            if self._scheduled:
                return
            self._scheduled = True
        if not self._closing.is_set():
            self._loop.call_soon_threadsafe(self._apply)

    def _apply(self) -> None:
        with self._lock:
            self._scheduled = False
            if not self._released:
                return
            messages, self._waiting = self._waiting, deque()
        for message in messages:
            self._take(message)


def _start(bus: Bus, topic: Topic, account: str) -> int:
    """Where reading begins; the end is asked first, so that nothing falls between the two."""
    if topic is not topics.RISK:
        return 0
    end = bus.end(topic)
    last = bus.last(topic, account)
    return last.sequence if last else end
