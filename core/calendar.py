"""The economic calendar of a home: what was known of an event, and since when.

`<home>/calendar.json` holds versions: an event that is moved, corrected or called off gets another
with its own time of publication, and none is ever changed. What is known at a moment is the newest
version of each event that was published by then. Execution reads this file and asks nobody; table
`calendar_event` of the warehouse holds the same rows for SQL.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal

import msgspec

from core import checked_json, durable
from core.errors import InputError

Publication = Literal["stated", "assumed", "imported"]
FILE = "calendar.json"
_NEVER_US = 1 << 62


class CalendarEvent(msgspec.Struct, frozen=True, array_like=True):
    """One version of one event. Times are microseconds, UTC; figures are as the publisher wrote.

    `publication`: how its time of publication is known: the file `stated` it; a person `assumed`
    it at import; or it is when the row was `imported`, before which nobody here knew it.
    """

    source: str
    event_id: str
    ts_published_us: int
    ts_event_us: int
    currency: str  # "" concerns every currency
    importance: str  # none, low, medium, high
    name: str
    actual: str = ""
    forecast: str = ""
    previous: str = ""
    is_cancelled: bool = False
    publication: Publication = "imported"


class Coverage(msgspec.Struct, frozen=True, array_like=True):
    """A span of which a source says every event, and since when that was known."""

    source: str
    begin_us: int
    end_us: int  # excluded
    ts_published_us: int


class CalendarContent(msgspec.Struct, frozen=True):
    """The file's content: versions in order of publication."""

    events: list[CalendarEvent] = []
    coverage: list[Coverage] = []


class Calendar:
    """Versions by event, to ask what was known when. The answer for a moment is kept."""

    def __init__(self, content: CalendarContent) -> None:
        self.content = content
        self._versions = sorted(content.events, key=_order)
        self._published = sorted({event.ts_published_us for event in self._versions})
        self._span: tuple[int, int] = (1, 0)  # of moments for which what follows holds
        self._events: list[CalendarEvent] = []
        self._times: list[int] = []

    def between(self, begin_us: int, end_us: int, *, known_us: int) -> Sequence[CalendarEvent]:
        """Events from a time to a time, both included, as they were known at a moment."""
        if not self._span[0] <= known_us < self._span[1]:
            self._take(known_us)
        begin, end = bisect_left(self._times, begin_us), bisect_right(self._times, end_us)
        return self._events[begin:end]

    def covers(self, time_us: int, *, known_us: int) -> bool:
        """Whether a source had said by a moment which events a time has."""
        return any(
            c.begin_us <= time_us < c.end_us and c.ts_published_us <= known_us
            for c in self.content.coverage
        )

    def _take(self, known_us: int) -> None:
        newest: dict[tuple[str, str], CalendarEvent] = {}
        for event in self._versions:
            if event.ts_published_us > known_us:
                break
            newest[event.source, event.event_id] = event
        self._events = sorted(
            (event for event in newest.values() if not event.is_cancelled),
            key=lambda event: (event.ts_event_us, event.source, event.event_id),
        )
        self._times = [event.ts_event_us for event in self._events]
        at = bisect_right(self._published, known_us)
        begin = self._published[at - 1] if at else -_NEVER_US
        self._span = begin, self._published[at] if at < len(self._published) else _NEVER_US


def path_in(home: Path) -> Path:
    """Where a home's calendar is kept."""
    return home / FILE


def load(path: Path) -> CalendarContent:
    """What a calendar file holds; nothing without one.

    Raises:
        InputError: it is damaged.
    """
    try:
        return checked_json.read(path, CalendarContent)
    except FileNotFoundError:
        return CalendarContent()
    except (OSError, msgspec.DecodeError) as error:
        problem = f"{error}; remove it and import again: tickhouse calendar import FILE"
        raise InputError(str(path), problem) from error


def save(path: Path, content: CalendarContent) -> None:
    """Replace the file; whole and on disk when this returns."""
    durable.write(path, checked_json.encode(content) + b"\n")


def added(
    before: CalendarContent, events: Iterable[CalendarEvent], coverage: Iterable[Coverage]
) -> tuple[CalendarContent, list[CalendarEvent]]:
    """A calendar with versions that say something new, and those; a repeat adds nothing.

    A version that says what the one published before it says is none.
    """
    known: dict[tuple[str, str], list[CalendarEvent]] = {}
    for event in sorted(before.events, key=_order):
        known.setdefault((event.source, event.event_id), []).append(event)
    fresh: list[CalendarEvent] = []
    for event in sorted(events, key=_order):
        versions = known.setdefault((event.source, event.event_id), [])
        at = bisect_right([v.ts_published_us for v in versions], event.ts_published_us)
        if at and said(versions[at - 1]) == said(event):
            continue
        versions.insert(at, event)
        fresh.append(event)
    spans = list(before.coverage)
    spans += [span for span in coverage if span not in spans]
    return CalendarContent(sorted([*before.events, *fresh], key=_order), spans), fresh


def said(event: CalendarEvent) -> tuple[object, ...]:
    """What a version says, whenever it was published."""
    return (
        event.ts_event_us, event.currency, event.importance, event.name, event.actual,
        event.forecast, event.previous, event.is_cancelled,
    )  # fmt: skip


def _order(event: CalendarEvent) -> tuple[int, str, str]:
    return event.ts_published_us, event.source, event.event_id
