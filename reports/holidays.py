"""Public holidays of the authority and of venues, from a dated file of the firm's: nobody else's.

Without the file T+1 counts Monday to Friday, and the reports say so.
"""

from datetime import date, timedelta
from pathlib import Path

import msgspec

from core.errors import SettingsError

_SATURDAY = 5


class Holidays(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The holidays of one authority or venue, as somebody read them on a day."""

    source: str  # where: the address of the page
    dated: date  # when it was read
    until: date  # the last day the list speaks of
    days: frozenset[date]


class Calendar(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file: the authority that reports go to, and venues (sources) by name."""

    authority: Holidays | None = None
    venues: dict[str, Holidays] = {}


def path_in(home: Path) -> Path:
    """Where a firm's file is."""
    return home / "holidays.toml"


def load(home: Path) -> Calendar:
    """The file; empty without one.

    Raises:
        SettingsError: it is not as described in docs/compliance/legal-texts.md.
    """
    path = path_in(home)
    if not path.exists():
        return Calendar()
    try:
        return msgspec.toml.decode(path.read_bytes(), type=Calendar)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise SettingsError(
            f"{path}: {error}; [authority] and [venues.SOURCE] say source, dated, until and days"
        ) from error


def due(day: date, holidays: Holidays | None) -> date:
    """The working day after a day (T+1)."""
    closed = holidays.days if holidays else frozenset[date]()
    following = day + timedelta(days=1)
    while following.weekday() >= _SATURDAY or following in closed:
        following += timedelta(days=1)
    return following


def caveat(due_on: date, holidays: Holidays | None) -> str:
    """What is not known about a due date; "" when the list reaches it."""
    if holidays is None:
        return "no holidays known"
    return "" if due_on <= holidays.until else f"holidays known until {holidays.until}"


def due_in_words(home: Path, day: date) -> str:
    """When a report of a day is due by the authority's holidays, and what is not known of them."""
    authority = load(home).authority
    due_on = due(day, authority)
    unknown = caveat(due_on, authority)
    return f"{due_on} ({unknown})" if unknown else str(due_on)


def closed(day: date, calendar: Calendar) -> bool:
    """Whether every venue that the file names is closed on a day; of none nothing is known."""
    venues = calendar.venues.values()
    return bool(venues) and all(day in venue.days for venue in venues)
