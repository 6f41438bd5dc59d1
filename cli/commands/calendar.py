"""`tickhouse calendar`: the events to come; `import FILE` takes a calendar, `exporter` a script.

The home's calendar.json is what execution reads, so it is written first; the warehouse gets the
same rows. A file that was imported before adds nothing.
"""

import argparse
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import NamedTuple

from msgspec.structs import replace
from rich.table import Table

from adapters.calendars import files
from adapters.calendars.files import CalendarOptions
from adapters.clickhouse.rows import message_columns
from adapters.clickhouse.writer import Writer
from cli.commands.printed import output
from cli.ingest.changes import author
from cli.ingest.warehouse import warehouse
from core import audit_log, calendar
from core.audit_log import AuditLine
from core.calendar import Calendar, CalendarContent, CalendarEvent, Coverage
from core.clock import SystemClock
from core.errors import InputError, SettingsError
from core.settings import Settings

#: MQL5, to run in a terminal that has a calendar.
EXPORTER = Path(files.__file__).with_name("TickhouseCalendar.mq5")
_DAY_US, _MOST_DAYS = 86_400_000_000, 3_650


class Imported(NamedTuple):
    """What became of a file."""

    content: CalendarContent
    listed: list[CalendarEvent]
    fresh: list[CalendarEvent]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What to do; without a word, the events to come."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION")
    coming = actions.add_parser("list", help="events to come, and how far the calendar reaches")
    coming.add_argument("--days", type=float, default=7.0, help="so far ahead; default %(default)g")
    take = actions.add_parser("import", help="events of a CSV or JSON file, as new versions")
    take.add_argument("file", type=Path, metavar="FILE")
    take.add_argument("--tz", default="", help="zone of times that say none: UTC, Europe/Athens")
    take.add_argument("--source", default="calendar", help="whose it is; default %(default)s")
    take.add_argument(
        "--from", dest="first", type=date.fromisoformat, metavar="DAY",
        help="first UTC day of which the file has every event; else its first event's",
    )  # fmt: skip
    take.add_argument(
        "--to", dest="last", type=date.fromisoformat, metavar="DAY", help="the last such day"
    )
    take.add_argument(
        "--complete", action="store_true",
        help="events of the source that this file lacks between its first and last are called off",
    )  # fmt: skip
    take.add_argument(
        "--assume-published-days", dest="assumed", type=float, metavar="N",
        help="rows that do not say when they were published were N days before; for backtests",
    )  # fmt: skip
    actions.add_parser("exporter", help="print the MQL5 script that writes such a file")


def run(namespace: argparse.Namespace, settings: Settings) -> int:
    """Do it.

    Raises:
        InputError: see adapters.calendars.files.read; nothing was stored.
    """
    if namespace.action == "exporter":
        print(EXPORTER.read_text(), end="")
    elif namespace.action == "import":
        _import(namespace, settings)
    else:
        _print(settings, getattr(namespace, "days", 7.0))
    return 0


def _import(namespace: argparse.Namespace, settings: Settings) -> None:
    if namespace.assumed is not None and not 0 <= namespace.assumed <= _MOST_DAYS:
        raise SettingsError(f"--assume-published-days is a number from 0 to {_MOST_DAYS}")
    path, now = calendar.path_in(settings.home_path), SystemClock().now_us()
    done = _merged(namespace, calendar.load(path), now)
    calendar.save(path, done.content)
    detail = f"{namespace.file}: {len(done.fresh)} new versions of {len(done.listed)}"
    line = AuditLine(now, author(settings), False, "calendar import", detail, "calendar.json")
    audit_log.append(settings.home_path, line)
    with warehouse(settings) as where, Writer(where) as writer:
        writer.insert("calendar_event", message_columns(done.content.events))
    print(f"{len(done.listed):,} events read, {len(done.fresh):,} new or changed.")
    _print(settings, 7.0)


def _merged(namespace: argparse.Namespace, before: CalendarContent, now_us: int) -> Imported:
    """The calendar with a file's versions."""
    options = CalendarOptions(namespace.source, namespace.tz, now_us, namespace.assumed)
    listed = files.read(namespace.file, options)
    if not listed:
        raise InputError(str(namespace.file), "has no event")
    known = {(e.source, e.event_id) for e in before.events}
    versions = [event for event in listed if (event.source, event.event_id) not in known]
    newest = {(event.source, event.event_id): event for event in listed}
    versions += [_news(newest[key], now_us) for key in newest if key in known]
    if namespace.complete:
        current = Calendar(before).between(0, 1 << 62, known_us=now_us)
        mine = [event for event in current if event.source == listed[0].source]
        versions += files.called_off(mine, listed, now_us)
    content, fresh = calendar.added(before, versions, [_coverage(namespace, listed, now_us)])
    return Imported(content, listed, fresh)


def _news(event: CalendarEvent, now_us: int) -> CalendarEvent:
    """Of a known event nobody assumes when its change was published: it is now."""
    if event.publication != "assumed":
        return event
    return replace(event, ts_published_us=now_us, publication="imported")


def _coverage(namespace: argparse.Namespace, listed: list[CalendarEvent], now_us: int) -> Coverage:
    """Whole UTC days; known since the first of what the file states or somebody assumes."""
    times = [event.ts_event_us for event in listed]
    begin = _day_us(namespace.first) if namespace.first else min(times) // _DAY_US * _DAY_US
    end = _day_us(namespace.last) if namespace.last else max(times) // _DAY_US * _DAY_US
    if end < begin:
        raise SettingsError("--to is before --from, or before the first event")
    known_us = min(event.ts_published_us for event in listed)
    return Coverage(listed[0].source, begin, end + _DAY_US, min(known_us, now_us))


def _day_us(day: date) -> int:
    return round(datetime.combine(day, time(), UTC).timestamp() * 1e6)


def _print(settings: Settings, days: float) -> None:
    now = SystemClock().now_us()
    content = calendar.load(calendar.path_in(settings.home_path))
    events = Calendar(content).between(now, now + round(days * _DAY_US), known_us=now)
    table = Table(title=f"Events of the next {days:g} days, UTC", title_justify="left")
    for name in ("time", "currency", "importance", "event", "forecast", "previous", "source"):
        table.add_column(name)
    for event in events:
        table.add_row(
            _text(event.ts_event_us), event.currency or "all", event.importance, event.name,
            event.forecast, event.previous, event.source,
        )  # fmt: skip
    output.console().print(table)
    ends = [span.end_us for span in content.coverage if span.begin_us <= now < span.end_us]
    print(
        f"The calendar reaches to {_text(max(ends))} UTC." if ends
        else "The calendar says nothing of today: rules about news deny entries. Import one:"
        " tickhouse calendar import FILE --tz ZONE"
    )  # fmt: skip


def _text(time_us: int) -> str:
    return (datetime(1970, 1, 1) + timedelta(microseconds=time_us)).strftime("%a %Y-%m-%d %H:%M")
