"""Spans of time as people say them, in UTC: "since Monday", "5 March 14:00 to 16:00".

Made of single times (`dates`), of hours of the day, and of what joins them.
"""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta

from questions.dates import (
    DAY,
    NUMBERS_SAID,
    PARTS_OF_DAY,
    UNITS,
    Reader,
    Taken,
    hours_of,
    midnight,
    single,
)
from questions.plan import Span, UnansweredError

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
    ("since", "all", "started"),
    ("since", "day", "one"),
    ("since", "inception"),
    ("from", "start"),
    ("from", "beginning"),
    ("from", "day", "one"),
    ("for", "all", "time"),
    ("in", "all", "history"),
    ("whole", "history"),
    ("entire", "history"),
    ("full", "history"),
    ("in", "history"),
}
_CLOCK = re.compile(r"(\d{1,2})(?::(\d{2}))?(am|pm|h)?")
_CLOCKED = re.compile(r"^\d{1,2}(:\d{2}|am|pm)|^noon$|^midnight$")


def read(said: Sequence[str], now: datetime) -> Taken | None:
    """The longest time at the beginning of these words; None when they begin with none.

    Raises:
        UnansweredError: the time is still to come, or ends before it begins.
    """
    readers: tuple[Reader, ...] = (
        _always,
        _between,
        _since,
        _until,
        _clock_range,
        _at_clock,
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
    hours = _hours_in(spans)
    if any(s.is_clock for s in spans) and not (begin or end):
        begin, end = midnight(now), midnight(now) + DAY
    text = " ".join(s.text for s in spans)
    if any(s.is_moment for s in spans):
        return _moment(spans, begin, now)
    if begin and end and begin >= end:
        raise UnansweredError(f"no moment is in {text}")
    if begin and begin > now:
        raise UnansweredError(f"{text} is still to come, and what will happen is not stored")
    if hours and begin and end and end - begin <= DAY:
        first, last = hours_of(midnight(begin), hours)
        begin, end, hours = max(begin, first), min(end, last), None
        if begin >= end:
            raise UnansweredError(f"no moment is in {text}")
    if begin and (end is None or end > now):
        return Span(begin, now, text, hours, is_until_now=True)
    return Span(begin, end, text, hours)


def _hours_in(spans: Sequence[Span]) -> tuple[float, float] | None:
    """The hours that are in all that are said: "in the morning, between 8:00 and 10:00"."""
    said = [s.hours for s in spans if s.hours]
    if not said or any(s.is_moment for s in spans):
        return said[0] if said else None
    first, last = max(one[0] for one in said), min(one[1] for one in said)
    if len(said) > 1 and first >= last:
        raise UnansweredError(f"no moment is in {' and '.join(s.text for s in spans if s.hours)}")
    return first, last


def _moment(spans: Sequence[Span], begin: datetime | None, now: datetime) -> Span:
    """Until a moment, of what is a level: the newest row before it is how it was then."""
    text = " ".join(s.text for s in spans)
    hour = next(s.hours[0] for s in spans if s.is_moment and s.hours)
    moment = midnight(begin or now) + timedelta(hours=hour)
    if moment > now:
        raise UnansweredError(f"{text} is still to come, and what will happen is not stored")
    return Span(None, moment, text, is_moment=True)


def either(spans: Sequence[Span], now: datetime) -> Span:
    """Any of several that do not meet: "yesterday and today"."""
    parts = [together([one], now) for one in spans]
    begins = [one.begin for one in parts if one.begin]
    ends = [one.end or now for one in parts]
    text = " and ".join(one.text for one in parts)
    until_now = any(one.is_until_now for one in parts)
    return Span(min(begins), max(ends), text, is_until_now=until_now, parts=tuple(parts))


def _always(said: Sequence[str], _: datetime) -> Taken | None:
    for size in (4, 3, 2, 1):
        if tuple(said[:size]) in _ALWAYS:
            return Taken(Span(text=" ".join(said[:size])), size)
    return None


def _between(said: Sequence[str], now: datetime) -> Taken | None:
    """Days "from 3 to 5 March", "between 2026-03-01 and 2026-03-05"; the last day is part of it."""
    if not said or said[0] not in ("from", "between"):
        return None
    first = single(said[1:], now)
    if first is None:
        return None
    at = 1 + first.words
    if at >= len(said) or said[at] not in ("to", "and", "until", "till", "through"):
        return None
    second = single(said[at + 1 :], now)
    if second is None:
        return None
    size = at + 1 + second.words
    return Taken(Span(first.span.begin, second.span.end, " ".join(said[:size])), size)


def _since(said: Sequence[str], now: datetime) -> Taken | None:
    if not said or said[0] not in ("since", "after", "from", "starting"):
        return None
    moment = _clocked_day(said[1:], now) if said[0] == "since" else None
    first = moment or single(said[1:], now)
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
    day = single(said[skip:], now) if said[skip:] else None
    if hour is None or day is None or not (day.span.begin and day.span.end):
        return None
    if day.span.end - day.span.begin > DAY:
        return None
    moment = day.span.begin.replace(hour=0, minute=0, second=0) + timedelta(hours=hour)
    size = skip + day.words
    return Taken(Span(moment, moment, " ".join(said[:size])), size)


def _until(said: Sequence[str], now: datetime) -> Taken | None:
    if not said or said[0] not in ("until", "till", "before", "by"):
        return None
    last = single(said[1:], now)
    if last is None or (said[0] == "by" and last.span.end is None):
        return None
    end = last.span.begin if said[0] == "before" else last.span.end
    size = 1 + last.words
    return Taken(Span(None, end, " ".join(said[:size])), size)


def _clock_range(said: Sequence[str], now: datetime) -> Taken | None:
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
        last = 24 if rest[2] == "midnight" else last
        size = skip + 3
        if first is not None and last is not None and sure and first < last:
            return Taken(_daily(first, last, said[:size]), size + _zone(said[size:]))
        if first is not None and last is not None and sure and not rest[3:4]:
            today = midnight(now)  # "10pm to 6am": from yesterday into today
            begin, end = today - DAY + timedelta(hours=first), today + timedelta(hours=last)
            return Taken(Span(begin, end, " ".join(said[:size])), size)
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
        part = PARTS_OF_DAY.get(rest[1].removesuffix("s"))
        return Taken(Span(None, None, " ".join(said[:3]), part), 3) if part else None
    return None


def _at_clock(said: Sequence[str], _: datetime) -> Taken | None:
    """ "At 8:30", "at midnight": a moment of a day, today's unless another is named."""
    if len(said) < 2 or said[0] != "at" or not _CLOCKED.search(said[1]):
        return None
    hour = _hour(said[1])
    if hour is None:
        return None
    return Taken(Span(text=" ".join(said[:2]), hours=(hour, hour), is_moment=True), 2)


def _part_of_day(said: Sequence[str], now: datetime) -> Taken | None:
    """ "The first two hours of today", "the last 30 minutes of yesterday"."""
    skip = 1 if said and said[0] in ("in", "for", "during", "over") else 0
    if len(said) < skip + 3 or said[skip] not in ("first", "last"):
        return None
    word = said[skip + 1]
    one = word.removesuffix("s") in UNITS
    count = 1 if one else int(word) if word.isdigit() else NUMBERS_SAID.get(word, 0)
    at = skip + (1 if one else 2)
    unit = UNITS.get(said[at].removesuffix("s")) if len(said) > at else None
    day = single(said[at + 1 :], now) if unit and count else None
    if day is None or unit is None or not (day.span.begin and day.span.end):
        return None
    length = count * unit
    if day.span.end - day.span.begin > DAY or length > DAY:
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
    taken = single(said[skip:], now)
    return Taken(taken.span, skip + taken.words) if taken else None
