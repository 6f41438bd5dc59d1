"""The page shows the calendar that execution reads, as it is known now."""

from pathlib import Path

from core import calendar
from core.calendar import CalendarContent, CalendarEvent, Coverage
from core.clock import ManualClock
from dashboards.live.coming_events import ComingEvents
from dashboards.live.items import Items

NOW = 1_762_522_200_000_000
HOUR = 3_600_000_000


def test_events_of_the_week_and_how_far_the_calendar_reaches(tmp_path: Path) -> None:
    items = Items()
    coming = ComingEvents(tmp_path, ManualClock(NOW), items)
    coming.show()
    assert items.get("calendar") is None
    events = [
        CalendarEvent("c", str(n), NOW - HOUR, NOW + at, "USD", "high", f"event {n}")
        for n, at in enumerate((-2 * HOUR, HOUR, 24 * HOUR, 400 * HOUR))
    ]
    events.append(CalendarEvent("c", "1", NOW + 1, NOW + 2 * HOUR, "USD", "high", "not known yet"))
    span = Coverage("c", NOW - HOUR, NOW + 30 * HOUR, 0)
    calendar.save(calendar.path_in(tmp_path), CalendarContent(events, [span]))
    coming.show()
    shown = items.get("calendar")
    assert [e["name"] for e in shown["events"]] == ["event 1", "event 2"]
    assert shown["reaches"] == NOW + 30 * HOUR
    calendar.path_in(tmp_path).write_bytes(b"{")
    coming.show()
    assert "import again" in items.get("calendar")["problem"]
    assert items.get("calendar")["events"] == []
