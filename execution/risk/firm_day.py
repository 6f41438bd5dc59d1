"""When a firm's day begins: at a time of day, by the clock of a zone, summer time included."""

from datetime import date, datetime, timedelta
from datetime import time as clock_time
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError


def bounds(zone: str, reset: str, time_us: int) -> tuple[int, int]:
    """When the day began that a time lies in, and when it ends. Microseconds, UTC."""
    day = datetime.fromtimestamp(time_us / 1e6, zone_of(zone)).date()
    begins = [_begin(zone, reset, day + timedelta(days=n)) for n in (-1, 0, 1, 2)]
    at = max(n for n, begin in enumerate(begins[:3]) if begin <= time_us)
    return begins[at], begins[at + 1]


@lru_cache(maxsize=4096)
def _begin(zone: str, reset: str, day: date) -> int:
    # An hour that clocks leave out counts as the same moment an hour on, one that comes twice as
    # its first: PEP 495, fold 0.
    local = datetime.combine(day, reset_of(reset), zone_of(zone))
    return round(local.timestamp() * 1e6)


@lru_cache(maxsize=64)
def zone_of(name: str) -> ZoneInfo:
    """A zone by its IANA name.

    Raises:
        ValueError: there is none.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        text = f"{name!r} is no time zone; write an IANA name such as Europe/Prague"
        raise ValueError(text) from None


def reset_of(text: str) -> clock_time:
    """A time of day.

    Raises:
        ValueError: it is none.
    """
    try:
        if len(text) != len("00:00"):
            raise ValueError(text)
        return clock_time.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text!r} is no time of day; write hours and minutes: 17:00") from None
