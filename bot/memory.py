"""What the bot must not forget: `<home>/bot/memory.json`, written before anything is done.

An update is marked as taken first and acted on then. So a bot that is killed between the two has
not done it, and says nothing; nothing is ever done twice. A memory that is damaged is put aside and
begun anew: what is old is refused by its age all the same.
"""

import logging
from pathlib import Path

import msgspec

from core import checked_json, durable
from core.clock import Clock

#: Telegram numbers updates from a random number again after a week without any.
_QUIET_US = 6 * 86_400_000_000
_MOST_ALERTS = 500
_log = logging.getLogger(__name__)


class _Content(msgspec.Struct):
    next_update: int = 0
    taken_us: int = 0  # when the last one was
    alerts: list[str] = []  # those that the chats know of


class Memory:
    """The memory of a home's bot. Every change is on disk when its method returns."""

    def __init__(self, home: Path, clock: Clock) -> None:
        self._path, self._clock = home / "bot" / "memory.json", clock
        self._content = self._read()

    @property
    def offset(self) -> int | None:
        """What to ask Telegram for; None: whatever it has, for numbers may have begun anew."""
        return None if self._is_quiet() else self._content.next_update

    def take(self, update: int) -> bool:
        """Mark an update as taken; False when it was before, or one after it.

        On a full disk only until the process ends: whoever halts then is heard all the same, and
        what changes anything waits for a button besides, which no restart outlives.
        """
        if update < self._content.next_update and not self._is_quiet():
            return False
        self._content.next_update, self._content.taken_us = update + 1, self._clock.now_us()
        self._try_to_write()
        return True

    def know_alerts(self, alerts: set[str]) -> set[str]:
        """Remember which alerts fire now; those of them that are new."""
        known = set(self._content.alerts)
        if alerts != known:
            self._content.alerts = sorted(alerts)[:_MOST_ALERTS]
            self._try_to_write()
        return alerts - known

    def _is_quiet(self) -> bool:
        return self._clock.now_us() - self._content.taken_us > _QUIET_US

    def _read(self) -> _Content:
        try:
            return checked_json.read(self._path, _Content)
        except FileNotFoundError:
            return _Content()
        except (OSError, msgspec.DecodeError) as error:
            _log.error("%s is damaged (%s) and is begun anew", self._path, error)
            return _Content()

    def _try_to_write(self) -> None:
        try:
            self._write()
        except OSError as error:
            _log.error("%s is not written: %s", self._path, error)

    def _write(self) -> None:
        durable.write(self._path, checked_json.encode(self._content), durable.PRIVATE)
