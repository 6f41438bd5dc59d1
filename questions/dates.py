"""One time as people say it, in UTC: "yesterday", "last 7 days", "5 March 2026", "Q3".

Weeks begin on Monday. "Last week" is the calendar week before this one, "last 7 days" the 168 hours
until now; a month without a year is the last one that has begun.
"""

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, time, timedelta
from typing import NamedTuple

from questions.plan import Span, UnansweredError
from questions.words import NUMBERS

DAY = timedelta(days=1)
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september",
    "october", "november", "december",
)  # fmt: skip
UNITS = {
    "minute": timedelta(minutes=1),
    "min": timedelta(minutes=1),
    "hour": timedelta(hours=1),
    "hr": timedelta(hours=1),
    "h": timedelta(hours=1),
    "day": DAY,
    "d": DAY,
    "week": timedelta(weeks=1),
    "fortnight": timedelta(weeks=2),
}
NUMBERS_SAID = NUMBERS | {"a": 1, "an": 1, "couple": 2}
PARTS_OF_DAY = {"night": (0, 6), "morning": (6, 12), "afternoon": (12, 18), "evening": (18, 24)}
#: Other words for now; "we" and "it" are no longer there.
_AT_THIS = (
    "at this moment", "this moment", "this very moment", "at this point", "at this time",
    "this instant", "at this instant", "as speak", "presently", "just now", "as things stand",
    "this minute", "as of this moment",
)  # fmt: skip
_BACK = ("last", "past", "previous", "preceding", "latest")
_ORDINAL = re.compile(r"(\d{1,2})(?:st|nd|rd|th)?")
_COUNTED = re.compile(r"(\d+)(h|hr|hrs|d|min|m|w)?")


class Taken(NamedTuple):
    """A span, and how many words said it."""

    span: Span
    words: int


Reader = Callable[[Sequence[str], datetime], Taken | None]


def single(said: Sequence[str], now: datetime) -> Taken | None:
    """A single time without a word before it."""
    readers: tuple[Reader, ...] = (_named, _counted, _calendar, _quarter, _weekday, _date, _month)
    every = [taken for reader in readers if (taken := reader(said, now))]
    return max(every, key=lambda taken: taken.words, default=None)


def _named(said: Sequence[str], now: datetime) -> Taken | None:
    today = midnight(now)
    for text, begin, end in (
        ("the day before yesterday", today - 2 * DAY, today - DAY),
        ("day before yesterday", today - 2 * DAY, today - DAY),
        ("yesterday", today - DAY, today),
        ("yday", today - DAY, today),
        ("ytd", today.replace(month=1, day=1), None),
        ("mtd", today.replace(day=1), None),
        ("wtd", _week(today), None),
        ("year to date", today.replace(month=1, day=1), None),
        ("month to date", today.replace(day=1), None),
        ("week to date", _week(today), None),
        ("today", today, today + DAY),
        ("tdy", today, today + DAY),
        ("now", None, None),
        ("right now", None, None),
        ("currently", None, None),
        ("current", None, None),
        ("at the moment", None, None),
        ("at moment", None, None),
        ("moment", None, None),
        ("at present", None, None),
        *((text, None, None) for text in _AT_THIS),
        ("tonight", today, today + DAY),
        ("last night", today - DAY / 4, today + DAY / 4),
    ):
        size = len(text.split())
        if list(said[:size]) == text.split():
            part = (
                PARTS_OF_DAY.get(said[size])
                if text in ("yesterday", "today") and len(said) > size
                else None
            )
            if part:
                return Taken(
                    Span(*hours_of(begin or today, part), f"{text} {said[size]}"), size + 1
                )
            return Taken(Span(begin, end, "now" if text in _AT_THIS else text), size)
    if said[:1] == ["tomorrow"] or list(said[:2]) in (
        ["next", "week"],
        ["next", "month"],
        ["next", "day"],
    ):
        raise UnansweredError("what will happen is not stored")
    return None


def _counted(said: Sequence[str], now: datetime) -> Taken | None:
    """ "last 7 days", "past hour", "24h", "3 days ago"."""
    back = bool(said) and said[0] in _BACK
    rest = said[1:] if back else said
    if rest[:1] == ["couple"] and rest[1:2] == ["of"]:
        rest, extra = ["couple", *rest[2:]], 1
    else:
        extra = 0
    if not rest:
        return None
    matched = _COUNTED.fullmatch(rest[0])
    if matched and matched[2] and (back or matched[2] != "m"):
        unit = UNITS.get({"hrs": "hr", "w": "week", "m": "min"}.get(matched[2], matched[2]))
        if unit:
            return _ago(said, now, int(matched[1]) * unit, back + 1 + extra, ago=False)
    count = int(matched[1]) if matched and not matched[2] else NUMBERS_SAID.get(rest[0])
    if count is None or len(rest) < 2 or count > 100_000:
        return None
    word = rest[1].removesuffix("s")
    size = back + 2 + extra
    if word == "month":
        begin = _months_before(midnight(now), count)
        return Taken(Span(begin, None, " ".join(said[:size])), size) if back else None
    unit = UNITS.get(word)
    if unit is None:
        return None
    is_ago = list(said[size : size + 1]) == ["ago"]
    return _ago(said, now, count * unit, size, ago=is_ago) if back or is_ago else None


def _ago(said: Sequence[str], now: datetime, length: timedelta, size: int, *, ago: bool) -> Taken:
    text = " ".join(said[: size + ago])
    if not ago:
        return Taken(Span(now - length, now, text), size)
    if length % DAY:
        return Taken(Span(now - length, now, text), size + 1)
    day = midnight(now) - length
    return Taken(Span(day, day + DAY, text), size + 1)


def _quarter(said: Sequence[str], now: datetime) -> Taken | None:
    """ "Q3", "q3 2026"."""
    named = re.fullmatch(r"q([1-4])", said[0]) if said else None
    if named is None:
        return None
    written = len(said) > 1 and re.fullmatch(r"20\d\d", said[1])
    begin = _dated(int(said[1]) if written else 0, 3 * int(named[1]) - 2, 1, now)
    end = (begin + timedelta(days=95)).replace(day=1)
    size = 1 + bool(written)
    return Taken(Span(begin, end, " ".join(said[:size])), size)


def _calendar(said: Sequence[str], now: datetime) -> Taken | None:
    """ "this week", "last month", "past hour", "the previous quarter"."""
    if len(said) < 2 or said[0] not in ("this", "current", *_BACK):
        return None
    unit, text = said[1], " ".join(said[:2])
    today, this = midnight(now), said[0] in ("this", "current")
    if unit in PARTS_OF_DAY:
        day = today if this else today - DAY
        return Taken(Span(*hours_of(day, PARTS_OF_DAY[unit]), text), 2)
    is_past_week = list(said[:2]) == [
        "past",
        "week",
    ]  # people mean seven days, not Monday to Sunday
    if unit == "fortnight":
        return Taken(Span(now - UNITS[unit], now, text), 2)
    is_rolling = unit in ("hour", "minute", "min", "day") or is_past_week
    if is_rolling and not (this or (unit == "day" and said[0] == "previous")):
        return Taken(Span(now - UNITS[unit], now, text), 2)
    begins: dict[str, datetime] = {
        "hour": now.replace(minute=0, second=0, microsecond=0),
        "day": today,
        "week": _week(today),
        "month": today.replace(day=1),
        "quarter": today.replace(month=(today.month - 1) // 3 * 3 + 1, day=1),
        "year": today.replace(month=1, day=1),
    }
    begin = begins.get(unit)
    if begin is None:
        return None
    if this:
        return Taken(Span(begin, None, text), 2)
    before = {
        "hour": begin - timedelta(hours=1),
        "day": begin - DAY,
        "week": begin - 7 * DAY,
        "month": _months_before(begin, 1),
        "quarter": _months_before(begin, 3),
        "year": _months_before(begin, 12),
    }[unit]
    return Taken(Span(before, begin, text), 2)


def _weekday(said: Sequence[str], now: datetime) -> Taken | None:
    skip = 1 if said and said[0] in ("this", "last", "past", "previous") else 0
    if len(said) <= skip:
        return None
    word = next(
        (
            day
            for day in _WEEKDAYS
            if said[skip] in (day, day[:3])
            or (said[skip] in ("tues", "thur", "thurs") and day.startswith(said[skip]))
        ),
        None,
    )
    if word is None:
        return None
    today = midnight(now)
    back = (today.weekday() - _WEEKDAYS.index(word)) % 7 or 7
    day = today - back * DAY
    return Taken(Span(day, day + DAY, " ".join(said[: skip + 1])), skip + 1)


def _date(said: Sequence[str], now: datetime) -> Taken | None:
    if not said:
        return None
    try:
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", said[0]):
            return _of_day(datetime.fromisoformat(said[0]).replace(tzinfo=UTC), said, 1)
        dotted = re.fullmatch(r"(\d{1,2})[.](\d{1,2})[.](\d{4})", said[0])
        if dotted:
            return _of_day(
                datetime(int(dotted[3]), int(dotted[2]), int(dotted[1]), tzinfo=UTC), said, 1
            )
        return _spoken(said, now)
    except ValueError as error:
        raise UnansweredError(f"{said[0]} is no date") from error


def _spoken(said: Sequence[str], now: datetime) -> Taken | None:
    """ "5 March", "5th of March 2026", "March 5"."""
    ordinal = re.fullmatch(r"(\d{1,2})(?:st|nd|rd|th)", said[0])
    following = next((word for word in said[1:3] if word != "of"), "")
    if ordinal and not _month_number(following) and following != "percentile":
        that = midnight(now).replace(day=int(ordinal[1]))
        return _of_day(that if that <= now else _months_before(that, 1), said, 1)
    rest = [word for word in said[:5] if word not in ("of", "the")]
    dropped = [n for n, word in enumerate(said[:5]) if word in ("of", "the")]
    if len(rest) < 2:
        return None
    for day_word, month_word in ((rest[0], rest[1]), (rest[1], rest[0])):
        day, month = _ORDINAL.fullmatch(day_word), _month_number(month_word)
        if day and month:
            size = 2 + sum(1 for n in dropped if n < 3)
            year = rest[2] if len(rest) > 2 and re.fullmatch(r"20\d\d", rest[2]) else ""
            date = _dated(int(year) if year else 0, month, int(day[1]), now)
            return _of_day(date, said, size + bool(year))
    return None


def _dated(year: int, month: int, day: int, now: datetime) -> datetime:
    if year:
        return datetime(year, month, day, tzinfo=UTC)
    this = datetime(now.year, month, day, tzinfo=UTC)
    return this if this <= now else this.replace(year=now.year - 1)


def _of_day(day: datetime, said: Sequence[str], size: int) -> Taken:
    return Taken(Span(day, day + DAY, " ".join(said[:size])), size)


def _month(said: Sequence[str], now: datetime) -> Taken | None:
    """A month; "may" and "march" alone are months only after a word such as "in"."""
    skip = 1 if said and said[0] == "last" else 0
    month = _month_number(said[skip]) if len(said) > skip else 0
    if not month:
        return None
    year = (
        int(said[skip + 1])
        if len(said) > skip + 1 and re.fullmatch(r"20\d\d", said[skip + 1])
        else 0
    )
    begin = _dated(year, month, 1, now)
    end = (begin + timedelta(days=32)).replace(day=1)
    size = skip + 1 + bool(year)
    return Taken(Span(begin, end, " ".join(said[:size])), size)


def _month_number(word: str) -> int:
    for number, month in enumerate(_MONTHS, 1):
        if word == month or (
            len(word) >= 3 and word in (month[:3], month[:4]) and word != "may"[:2]
        ):
            return number
    return 0


def midnight(moment: datetime) -> datetime:
    """When its day begins, UTC."""
    return datetime.combine(moment.date(), time(), UTC)


def _week(day: datetime) -> datetime:
    return day - day.weekday() * DAY


def _months_before(day: datetime, months: int) -> datetime:
    """As many months back; the last day of a shorter one."""
    number = day.year * 12 + day.month - 1 - months
    year, month = divmod(number, 12)
    for last in (day.day, 30, 29, 28):
        try:
            return day.replace(year=year, month=month + 1, day=last)
        except ValueError:
            continue
    raise AssertionError(day)


def hours_of(day: datetime, hours: tuple[float, float]) -> tuple[datetime, datetime]:
    """Where hours of a day begin and end."""
    return day + timedelta(hours=hours[0]), day + timedelta(hours=hours[1])
