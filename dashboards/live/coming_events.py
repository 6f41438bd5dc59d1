"""The next events of the home's calendar, as items for the page.

The page looks at the file that execution reads, so that both know the same; a damaged one is said.
"""

from pathlib import Path
from typing import Any

from core import calendar
from core.calendar import Calendar, CalendarContent
from core.clock import Clock
from core.errors import InputError
from dashboards.live.items import Items

_DAY_US = 86_400_000_000
_AHEAD_US, _SINCE_US = 7 * _DAY_US, 3_600_000_000
_MOST = 40


class ComingEvents:
    """Reads the calendar when it has changed."""

    def __init__(self, home: Path, clock: Clock, items: Items) -> None:
        self._path, self._clock, self._items = calendar.path_in(home), clock, items
        self._signature: tuple[int, int] = (0, 0)
        self._calendar, self._problem = Calendar(CalendarContent()), ""

    def show(self) -> None:
        """Put what comes; nothing while the home has no calendar."""
        signature = _signature(self._path)
        if signature != self._signature:
            self._signature = signature
            try:
                self._calendar, self._problem = Calendar(calendar.load(self._path)), ""
            except InputError as error:
                self._calendar, self._problem = Calendar(CalendarContent()), str(error)
        if signature == (0, 0):
            self._items.put("calendar", None)
        else:
            self._items.put("calendar", self._coming())

    def _coming(self) -> dict[str, Any]:
        now = self._clock.now_us()
        events = self._calendar.between(now - _SINCE_US, now + _AHEAD_US, known_us=now)
        spans = self._calendar.content.coverage
        return {
            "problem": self._problem,
            "reaches": max((s.end_us for s in spans if s.begin_us <= now < s.end_us), default=0),
            "events": [
                {
                    "time": event.ts_event_us, "currency": event.currency, "name": event.name,
                    "importance": event.importance, "forecast": event.forecast,
                    "previous": event.previous, "actual": event.actual,
                }
                for event in events[:_MOST]
            ],
        }  # fmt: skip


def _signature(path: Path) -> tuple[int, int]:
    try:
        status = path.stat()
    except FileNotFoundError:
        return 0, 0
    return status.st_mtime_ns, status.st_size
