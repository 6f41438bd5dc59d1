"""Times as people say them, in UTC: "yesterday", "last 7 days", "5 March 14:00 to 16:00".

Weeks begin on Monday. "Last week" is the calendar week before this one, "last 7 days" the 168 hours
until now; a month without a year is the last one that has begun.
"""

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, time, timedelta
from typing import NamedTuple

from questions.plan import Span, UnansweredError
from questions.words import NUMBERS

_DAY = timedelta(days=1)
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september",
    "october", "november", "december",
)  # fmt: skip
_UNITS = {
    "minute": timedelta(minutes=1),
    "min": timedelta(minutes=1),
    "hour": timedelta(hours=1),
    "hr": timedelta(hours=1),
    "h": timedelta(hours=1),
    "day": _DAY,
    "d": _DAY,
    "week": timedelta(weeks=1),
    "fortnight": timedelta(weeks=2),
}
_NUMBERS = NUMBERS | {"a": 1, "an": 1, "couple": 2}
_PARTS = {"night": (0, 6), "morning": (6, 12), "afternoon": (12, 18), "evening": (18, 24)}
_ALWAYS = {
    ("so", "far"),
    ("ever",),
    ("all", "time"),
    ("overall",),
    ("to", "date"),
    ("up", "to", "now"),
    ("until", "now"),
    ("till", "now"),
    ("since", "beginning"),
    ("since", "start"),
    ("at", "all"),
    ("since", "started"),
}
_BACK = ("last", "past", "previous", "preceding", "latest")
_CLOCK = re.compile(r"(\d{1,2})(?::(\d{2}))?(am|pm|h)?")
_CLOCKED = re.compile(r"^\d{1,2}(:\d{2}|am|pm)|^noon$|^midnight$")
_ORDINAL = re.compile(r"(\d{1,2})(?:st|nd|rd|th)?")
_COUNTED = re.compile(r"(\d+)(h|hr|hrs|d|min|m|w)?")


class Taken(NamedTuple):
    """A span, and how many words said it."""

    span: Span
    words: int


def read(said: Sequence[str], now: datetime) -> Taken | None:
    """The longest time at the beginning of these words; None when they begin with none.

    Raises:
        UnansweredError: the time is still to come, or ends before it begins.
    """
    readers: tuple[_Reader, ...] = (
        _always,
        _between,
        _since,
        _until,
        _clock_range,
        _part_of_day,
        _whole,
    )
    every = [taken for reader in readers if (taken := reader(said, now))]
    return max(every, key=lambda taken: taken.words, default=None)


def together(spans: Sequence[Span], now: datetime) -> Span:
    """All of them at once: "yesterday" and "14:00 to 16:00".

    Raises:
        UnansweredError: no moment is in all of them, or all of it is still to come.
    """
    if not spans:
        return Span()
    begin = max((s.begin for s in spans if s.begin), default=None)
    end = min((s.end for s in spans if s.end), default=None)
    hours = next((s.hours for s in spans if s.hours), None)
    if any(s.is_clock for s in spans) and not (begin or end):
        begin, end = _midnight(now), _midnight(now) + _DAY
    text = " ".join(s.text for s in spans)
    if begin and end and begin >= end:
        raise UnansweredError(f"no moment is in {text}")
    if begin and begin > now:
        raise UnansweredError(f"{text} is still to come, and what will happen is not stored")
    if hours and begin and end and end - begin <= _DAY:
        day = begin.replace(hour=0, minute=0, second=0, microsecond=0)
        begin, end = _hours_of(day, hours)
        hours = None
    if begin and (end is None or end > now):
        return Span(begin, now, text, hours, is_until_now=True)
    return Span(begin, end, text, hours)


def either(spans: Sequence[Span], now: datetime) -> Span:
    """Any of several that do not meet: "yesterday and today"."""
    parts = [together([one], now) for one in spans]
    begins = [one.begin for one in parts if one.begin]
    ends = [one.end or now for one in parts]
    text = " and ".join(one.text for one in parts)
    return Span(min(begins), max(ends), text, parts=tuple(parts))


_Reader = Callable[[Sequence[str], datetime], Taken | None]


def _always(said: Sequence[str], _: datetime) -> Taken | None:
    for size in (4, 3, 2, 1):
        if tuple(said[:size]) in _ALWAYS:
            return Taken(Span(text=" ".join(said[:size])), size)
    return None


def _between(said: Sequence[str], now: datetime) -> Taken | None:
    """Days "from 3 to 5 March", "between 2026-03-01 and 2026-03-05"; the last day is part of it."""
    if not said or said[0] not in ("from", "between"):
        return None
    first = _one(said[1:], now)
    if first is None:
        return None
    at = 1 + first.words
    if at >= len(said) or said[at] not in ("to", "and", "until", "till", "through"):
        return None
    second = _one(said[at + 1 :], now)
    if second is None:
        return None
    size = at + 1 + second.words
    return Taken(Span(first.span.begin, second.span.end, " ".join(said[:size])), size)


def _since(said: Sequence[str], now: datetime) -> Taken | None:
    if not said or said[0] not in ("since", "after", "from", "starting"):
        return None
    moment = _clocked_day(said[1:], now) if said[0] == "since" else None
    first = moment or _one(said[1:], now)
    if first is None:
        return None
    size = 1 + first.words
    begin = first.span.end if said[0] == "after" else first.span.begin
    while said[size : size + 1] in (["on"], ["onward"], ["onwards"]):
        size += 1
    return Taken(Span(begin, None, " ".join(said[:size])), size)


def _clocked_day(said: Sequence[str], now: datetime) -> Taken | None:
    """A moment: "noon yesterday", "14:00 on Monday", "yesterday noon"."""
    if said[:1] == ["yesterday"] and len(said) > 1 and _CLOCKED.search(said[1]):
        said = [said[1], said[0], *said[2:]]
    if not said or not _CLOCKED.search(said[0]):
        return None
    hour = _hour(said[0])
    skip = 2 if said[1:2] == ["on"] else 1
    day = _one(said[skip:], now) if said[skip:] else None
    if hour is None or day is None or not (day.span.begin and day.span.end):
        return None
    if day.span.end - day.span.begin > _DAY:
        return None
    moment = day.span.begin.replace(hour=0, minute=0, second=0) + timedelta(hours=hour)
    size = skip + day.words
    return Taken(Span(moment, moment, " ".join(said[:size])), size)


def _until(said: Sequence[str], now: datetime) -> Taken | None:
    if not said or said[0] not in ("until", "till", "before", "by"):
        return None
    last = _one(said[1:], now)
    if last is None or (said[0] == "by" and last.span.end is None):
        return None
    end = last.span.begin if said[0] == "before" else last.span.end
    size = 1 + last.words
    return Taken(Span(None, end, " ".join(said[:size])), size)


def _clock_range(said: Sequence[str], _: datetime) -> Taken | None:
    """Hours of a day: "14:00 to 16:00", "between 2pm and 4pm", "after 14:00", "in the morning"."""
    skip = 1 if said and said[0] in ("from", "between", "at", "in", "during") else 0
    rest = said[skip:]
    if len(rest) >= 3 and rest[1] in ("to", "and", "until", "till", "-"):
        first, last = _hour(rest[0]), _hour(rest[2])
        named = (
            (said[0] == "between" and not rest[3:4])
            or rest[3:4]
            in (
                ["utc"],
                ["gmt"],
                ["today"],
                ["yesterday"],
                ["o'clock"],
            )
            or rest[3:5] in (["this", "morning"], ["in", "morning"])
        )
        named = named or "midnight" in (rest[0], rest[2]) or "noon" in (rest[0], rest[2])
        sure = named or any(
            ":" in word or word.endswith(("am", "pm", "h")) for word in (rest[0], rest[2])
        )
        if first is not None and last is not None and sure and first < last:
            size = skip + 3
            return Taken(_daily(first, last, said[:size]), size + _zone(said[size:]))
    if (
        said
        and said[0] in ("after", "before", "since", "until")
        and len(said) > 1
        and _CLOCKED.search(said[1])
    ):
        hour = _hour(said[1])
        if hour is not None:
            early = said[0] in ("before", "until")
            span = _daily(0, hour, said[:2]) if early else _daily(hour, 24, said[:2])
            return Taken(span, 2 + _zone(said[2:]))
    if skip and said[0] in ("in", "during") and rest[:1] == ["the"] and rest[1:2]:
        part = _PARTS.get(rest[1].removesuffix("s"))
        return Taken(Span(None, None, " ".join(said[:3]), part), 3) if part else None
    return None


def _part_of_day(said: Sequence[str], now: datetime) -> Taken | None:
    """ "The first two hours of today", "the last 30 minutes of yesterday"."""
    skip = 1 if said and said[0] in ("in", "for", "during", "over") else 0
    if len(said) < skip + 3 or said[skip] not in ("first", "last"):
        return None
    word = said[skip + 1]
    one = word.removesuffix("s") in _UNITS
    count = 1 if one else int(word) if word.isdigit() else _NUMBERS.get(word, 0)
    at = skip + (1 if one else 2)
    unit = _UNITS.get(said[at].removesuffix("s")) if len(said) > at else None
    day = _one(said[at + 1 :], now) if unit and count else None
    if day is None or unit is None or not (day.span.begin and day.span.end):
        return None
    length = count * unit
    if day.span.end - day.span.begin > _DAY or length > _DAY:
        return None
    first = said[skip] == "first"
    begin = day.span.begin if first else day.span.end - length
    size = at + 1 + day.words
    return Taken(Span(begin, begin + length, " ".join(said[:size])), size)


def _zone(said: Sequence[str]) -> int:
    return 1 if said[:1] in (["utc"], ["gmt"]) else 0


def _daily(first: float, last: float, said: Sequence[str]) -> Span:
    return Span(None, None, " ".join(said), (first, last), is_clock=True)


def _hour(word: str) -> float | None:
    matched = _CLOCK.fullmatch({"noon": "12:00", "midnight": "0:00"}.get(word, word))
    if matched is None:
        return None
    hour = int(matched[1]) % 12 + 12 * (matched[3] == "pm") if matched[3] else int(matched[1])
    if matched[3] == "h":
        hour = int(matched[1])
    minute = int(matched[2] or 0)
    return hour + minute / 60 if hour + minute / 60 <= 24 and minute < 60 else None


def _hours_of(day: datetime, hours: tuple[float, float]) -> tuple[datetime, datetime]:
    return day + timedelta(hours=hours[0]), day + timedelta(hours=hours[1])


def _whole(said: Sequence[str], now: datetime) -> Taken | None:
    """One day, week or month, with the words before it that say no more."""
    skip = 0
    while said[skip : skip + 1] and said[skip] in (
        "on",
        "in",
        "during",
        "over",
        "for",
        "within",
        "at",
        "of",
        "the",
        "whole",
        "entire",
    ):
        skip += 1
    taken = _one(said[skip:], now)
    return Taken(taken.span, skip + taken.words) if taken else None


def _one(said: Sequence[str], now: datetime) -> Taken | None:
    """A single time without a word before it."""
    readers: tuple[_Reader, ...] = (_named, _counted, _calendar, _quarter, _weekday, _date, _month)
    every = [taken for reader in readers if (taken := reader(said, now))]
    return max(every, key=lambda taken: taken.words, default=None)


def _named(said: Sequence[str], now: datetime) -> Taken | None:
    today = _midnight(now)
    for text, begin, end in (
        ("the day before yesterday", today - 2 * _DAY, today - _DAY),
        ("day before yesterday", today - 2 * _DAY, today - _DAY),
        ("yesterday", today - _DAY, today),
        ("yday", today - _DAY, today),
        ("ytd", today.replace(month=1, day=1), None),
        ("mtd", today.replace(day=1), None),
        ("wtd", _week(today), None),
        ("year to date", today.replace(month=1, day=1), None),
        ("month to date", today.replace(day=1), None),
        ("week to date", _week(today), None),
        ("today", today, today + _DAY),
        ("tdy", today, today + _DAY),
        ("now", None, None),
        ("right now", None, None),
        ("currently", None, None),
        ("current", None, None),
        ("at the moment", None, None),
        ("at moment", None, None),
        ("moment", None, None),
        ("at present", None, None),
        ("tonight", today, today + _DAY),
        ("last night", today - _DAY / 4, today + _DAY / 4),
    ):
        size = len(text.split())
        if list(said[:size]) == text.split():
            part = (
                _PARTS.get(said[size])
                if text in ("yesterday", "today") and len(said) > size
                else None
            )
            if part:
                return Taken(
                    Span(*_hours_of(begin or today, part), f"{text} {said[size]}"), size + 1
                )
            return Taken(Span(begin, end, text), size)
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
        unit = _UNITS.get({"hrs": "hr", "w": "week", "m": "min"}.get(matched[2], matched[2]))
        if unit:
            return _ago(said, now, int(matched[1]) * unit, back + 1 + extra, ago=False)
    count = int(matched[1]) if matched and not matched[2] else _NUMBERS.get(rest[0])
    if count is None or len(rest) < 2 or count > 100_000:
        return None
    word = rest[1].removesuffix("s")
    size = back + 2 + extra
    if word == "month":
        begin = _months_before(_midnight(now), count)
        return Taken(Span(begin, None, " ".join(said[:size])), size) if back else None
    unit = _UNITS.get(word)
    if unit is None:
        return None
    is_ago = list(said[size : size + 1]) == ["ago"]
    return _ago(said, now, count * unit, size, ago=is_ago) if back or is_ago else None


def _ago(said: Sequence[str], now: datetime, length: timedelta, size: int, *, ago: bool) -> Taken:
    text = " ".join(said[: size + ago])
    if not ago:
        return Taken(Span(now - length, now, text), size)
    if length % _DAY:
        return Taken(Span(now - length, now, text), size + 1)
    day = _midnight(now) - length
    return Taken(Span(day, day + _DAY, text), size + 1)


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
    today, this = _midnight(now), said[0] in ("this", "current")
    if unit in _PARTS:
        day = today if this else today - _DAY
        return Taken(Span(*_hours_of(day, _PARTS[unit]), text), 2)
    is_past_week = list(said[:2]) == [
        "past",
        "week",
    ]  # people mean seven days, not Monday to Sunday
    if unit == "fortnight":
        return Taken(Span(now - _UNITS[unit], now, text), 2)
    is_rolling = unit in ("hour", "minute", "min", "day") or is_past_week
    if is_rolling and not (this or (unit == "day" and said[0] == "previous")):
        return Taken(Span(now - _UNITS[unit], now, text), 2)
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
        "day": begin - _DAY,
        "week": begin - 7 * _DAY,
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
    today = _midnight(now)
    back = (today.weekday() - _WEEKDAYS.index(word)) % 7 or 7
    day = today - back * _DAY
    return Taken(Span(day, day + _DAY, " ".join(said[: skip + 1])), skip + 1)


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
        that = _midnight(now).replace(day=int(ordinal[1]))
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
    return Taken(Span(day, day + _DAY, " ".join(said[:size])), size)


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


def _midnight(moment: datetime) -> datetime:
    return datetime.combine(moment.date(), time(), UTC)


def _week(day: datetime) -> datetime:
    return day - day.weekday() * _DAY


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
