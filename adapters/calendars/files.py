"""Economic calendars in files: CSV with a header, or JSON, into versions of events.

A time needs a zone: an offset in its own text, a column `zone`, or the zone that the caller names.
A file is taken whole or not at all, and a mistake names the row.

Columns, or keys: `time`, `currency`, `importance`, `name`; where there are any `event_id`,
`published`, `actual`, `forecast`, `previous`, `cancelled`, `zone`. JSON is a list of such objects,
or an object with the list `events` and perhaps `zone` and `source`.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from msgspec.structs import replace

from adapters.files.zone import Zone
from core.calendar import CalendarEvent, said
from core.errors import InputError

MOST_BYTES, MOST_EVENTS = 64 << 20, 500_000
NEEDED = ("time", "currency", "importance", "name")
OPTIONAL = (
    "event_id", "published", "actual", "forecast", "previous", "cancelled", "zone", "source",
)  # fmt: skip
_IMPORTANCE = {
    "none": "none", "low": "low", "medium": "medium", "moderate": "medium", "high": "high",
    "0": "none", "1": "low", "2": "medium", "3": "high",
}  # fmt: skip
_TRUE, _FALSE = ("1", "true", "yes"), ("", "0", "false", "no")
_DAY_US = 86_400_000_000
_REMEDY = (
    "say the zone of the file's times: --tz UTC, --tz Europe/Athens, a column `zone`, or +02:00"
)


class CalendarOptions(NamedTuple):
    """How to read a file.

    Attributes:
        source: whose calendar it is.
        zone: of times that say none; "" for none.
        now_us: when rows count as published that say nothing of it.
        assumed_days: their dates were published so many days before each event, as somebody says
            who knows; figures only with the event. None: nobody says so.
    """

    source: str
    zone: str
    now_us: int
    assumed_days: float | None = None


def read(path: Path, options: CalendarOptions) -> list[CalendarEvent]:
    """The versions that a file tells.

    Raises:
        InputError: with the row, and what to do about it.
    """
    rows, zone = _rows(path, _content(path))
    zone = options.zone or zone
    events: dict[tuple[str, str, int], tuple[int, CalendarEvent]] = {}
    for number, row in rows:
        if number > MOST_EVENTS:
            raise InputError(str(path), f"more than {MOST_EVENTS:,} events: cut it into parts")
        for event in _versions(path, number, row, zone, options):
            _add(events, path, number, event)
    return [event for _, event in events.values()]


def called_off(
    known: Iterable[CalendarEvent], listed: Sequence[CalendarEvent], now_us: int
) -> list[CalendarEvent]:
    """Versions that call off what a complete file of a span does not tell any more.

    Args:
        known: events of the source as they are known now.
        listed: the file's, which has every event from its first to its last.
    """
    ids = {event.event_id for event in listed}
    times = [event.ts_event_us for event in listed]
    return [
        replace(event, ts_published_us=now_us, is_cancelled=True, publication="imported")
        for event in known
        if event.event_id not in ids and min(times) <= event.ts_event_us <= max(times)
    ]  # fmt: skip


def _content(path: Path) -> str:
    try:
        if path.stat().st_size > MOST_BYTES:
            problem = f"larger than {MOST_BYTES >> 20} MiB, which no calendar is: cut it into parts"
            raise InputError(str(path), problem)
        content = path.read_bytes()
    except OSError as error:
        raise InputError(str(path), f"{error.strerror}; name a calendar file") from error
    encoding = "utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        return content.decode(encoding)  # MQL5 writes UTF-16 where it is not told otherwise
    except UnicodeDecodeError as error:
        raise InputError(str(path), f"no text in UTF-8 or UTF-16: {error}") from error


Rows = Iterator[tuple[int, Mapping[str, Any]]]


def _rows(path: Path, text: str) -> tuple[Rows, str]:
    """Numbered rows, and the zone that the file names for all of them."""
    if text.lstrip()[:1] in ("[", "{"):
        return _json(path, text)
    return _csv(path, text), ""


def _json(path: Path, text: str) -> tuple[Rows, str]:
    try:
        content = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InputError(str(path), f"no JSON: {error}") from error
    whole = content if isinstance(content, dict) else {"events": content}
    events, zone = whole.get("events"), whole.get("zone", "")
    if not isinstance(events, list) or not all(isinstance(event, dict) for event in events):
        raise InputError(str(path), "needs a list of events, each an object with time and name")
    for number, event in enumerate(events, 1):
        _known(path, event, number)
    return enumerate(events, 1), str(zone)


def _csv(path: Path, text: str) -> Rows:
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    reader = csv.DictReader(io.StringIO(text), delimiter=delimiter, restkey="", strict=True)
    names = [name.strip().lower() for name in reader.fieldnames or ()]
    reader.fieldnames = names
    _known(path, dict.fromkeys(names), None)
    try:
        for number, row in enumerate(reader, 2):
            if None in row.values() or "" in row:
                problem = f"has not the {len(names)} columns of the header"
                raise InputError(str(path), problem, number)
            yield number, row
    except csv.Error as error:
        raise InputError(str(path), f"no CSV: {error}") from error


def _known(path: Path, row: Mapping[str, Any], number: int | None) -> None:
    lacking = [name for name in NEEDED if name not in row]
    if lacking:
        raise InputError(
            str(path), f"lacks {', '.join(lacking)}; it needs {', '.join(NEEDED)}, and may have"
            f" {', '.join(OPTIONAL)}", number,
        )  # fmt: skip


def _versions(
    path: Path, number: int, row: Mapping[str, Any], zone: str, options: CalendarOptions
) -> Iterator[CalendarEvent]:
    """What a row says, as one version, or as two where its publication is assumed."""
    text = {name: str(value).strip() for name, value in row.items() if value is not None}
    zone = text.get("zone") or zone
    try:
        at = _time(text["time"], zone)
        event = CalendarEvent(
            source=text.get("source") or options.source, event_id=text.get("event_id", ""),
            ts_published_us=options.now_us, ts_event_us=at, currency=_currency(text["currency"]),
            importance=_importance(text["importance"]), name=text["name"],
            actual=text.get("actual", ""), forecast=text.get("forecast", ""),
            previous=text.get("previous", ""), is_cancelled=_flag(text.get("cancelled", "")),
        )  # fmt: skip
        if not event.name:
            raise ValueError("name is empty")
        event = replace(event, event_id=event.event_id or _name_of(event))
        if text.get("published"):
            yield _stated(event, _time(text["published"], zone))
        elif options.assumed_days is not None:
            yield from _assumed(event, options)
        else:
            yield event
    except (ValueError, KeyError) as error:
        problem = f"{error.args[0]!r} is missing" if isinstance(error, KeyError) else str(error)
        raise InputError(str(path), problem, number) from error


def _stated(event: CalendarEvent, published_us: int) -> CalendarEvent:
    if event.actual and published_us < event.ts_event_us:
        raise ValueError("says the actual figure before the event took place: check `published`")
    return replace(event, ts_published_us=published_us, publication="stated")


def _assumed(event: CalendarEvent, options: CalendarOptions) -> Iterator[CalendarEvent]:
    """The date as it was known before, and the figures with the event."""
    before_us = event.ts_event_us - round((options.assumed_days or 0.0) * _DAY_US)
    plain = replace(event, actual="", forecast="", previous="", publication="assumed")
    yield replace(plain, ts_published_us=min(before_us, options.now_us))
    if said(event) != said(plain) and event.ts_event_us <= options.now_us:
        yield replace(event, ts_published_us=event.ts_event_us, publication="assumed")


def _add(
    events: dict[tuple[str, str, int], tuple[int, CalendarEvent]], path: Path, number: int,
    event: CalendarEvent,
) -> None:  # fmt: skip
    key = event.source, event.event_id, event.ts_published_us
    first, known = events.setdefault(key, (number, event))
    if said(known) != said(event):
        raise InputError(
            str(path), f"event {event.event_id!r} is in row {first}, too, and says something else;"
            " remove one, or give each version its time in `published`", number,
        )  # fmt: skip


def _time(text: str, zone: str) -> int:
    """Microseconds, UTC. MetaTrader writes dates with dots."""
    spelled = re.sub(r"^(\d{4})[./](\d{2})[./](\d{2})", r"\1-\2-\3", text)
    try:
        moment = datetime.fromisoformat(spelled)
    except ValueError:
        raise ValueError(f"{text!r} is no time: write 2026-11-06 13:30 or with +01:00") from None
    if not 1970 <= moment.year < 2200:
        raise ValueError(f"{text!r} is in no year of 1970 to 2199")
    if moment.tzinfo is None:
        if not zone:
            raise ValueError(f"time {text!r} has no zone; {_REMEDY}")
        moment = _local(moment, Zone(zone), text)
    return round(moment.timestamp() * 1e6)


def _local(moment: datetime, zone: Zone, text: str) -> datetime:
    """A local time in UTC; of two, the first."""
    moment -= timedelta(milliseconds=zone.shift_msc)
    if zone.rules is None:
        return moment.replace(tzinfo=UTC)
    utc = moment.replace(tzinfo=zone.rules).astimezone(UTC)
    if utc.astimezone(zone.rules).replace(tzinfo=None) != moment:
        raise ValueError(f"{text!r} does not exist in {zone}: clocks went forward over it")
    return utc


def _currency(text: str) -> str:
    if text.upper() in ("", "ALL"):
        return ""
    if not re.fullmatch(r"[A-Za-z]{3}", text):
        raise ValueError(f"{text!r} is no currency: write its three letters, or ALL")
    return text.upper()


def _importance(text: str) -> str:
    known = _IMPORTANCE.get(text.lower())
    if known is None:
        raise ValueError(f"{text!r} is no importance: write none, low, medium or high")
    return known


def _flag(text: str) -> bool:
    if text.lower() in _TRUE:
        return True
    if text.lower() in _FALSE:
        return False
    raise ValueError(f"cancelled is yes or no, not {text!r}")


def _name_of(event: CalendarEvent) -> str:
    """What identifies an event whose source gives it no id: moved to another day it is another."""
    day = datetime.fromtimestamp(event.ts_event_us / 1e6, UTC).date()
    return f"{event.currency or 'ALL'} {event.name} {day}"
