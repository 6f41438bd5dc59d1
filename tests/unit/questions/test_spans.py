"""Times as people say them, at a Tuesday noon."""

from datetime import UTC, datetime, timedelta

import pytest

from questions import spans
from questions.plan import Span, UnansweredError

NOW = datetime(2026, 9, 1, 17, 30, tzinfo=UTC)


def day(month: int, number: int, hour: int = 0) -> datetime:
    return datetime(2026, month, number, tzinfo=UTC) + timedelta(hours=hour)


@pytest.mark.parametrize(
    ("text", "begin", "end"),
    [
        ("today", day(9, 1), day(9, 2)),
        ("yesterday", day(8, 31), day(9, 1)),
        ("yesterday afternoon", day(8, 31, 12), day(8, 31, 18)),
        ("the day before yesterday", day(8, 30), day(8, 31)),
        ("this week", day(8, 31), None),
        ("last week", day(8, 24), day(8, 31)),
        ("last month", day(8, 1), day(9, 1)),
        ("the previous quarter", day(4, 1), day(7, 1)),
        ("last 7 days", NOW - timedelta(days=7), NOW),
        ("past hour", NOW - timedelta(hours=1), NOW),
        ("last 90 minutes", NOW - timedelta(minutes=90), NOW),
        ("3 days ago", day(8, 29), day(8, 30)),
        ("since monday", day(8, 31), None),
        ("on tuesday", day(8, 25), day(8, 26)),
        ("on 5 march", day(3, 5), day(3, 6)),
        (
            "on the 5th of october",
            datetime(2025, 10, 5, tzinfo=UTC),
            datetime(2025, 10, 6, tzinfo=UTC),
        ),
        ("in march", day(3, 1), day(4, 1)),
        ("2026-08-15", day(8, 15), day(8, 16)),
        ("from 2026-08-15 to 2026-08-20", day(8, 15), day(8, 21)),
        ("between 3 august and 5 august", day(8, 3), day(8, 6)),
        ("until yesterday", None, day(9, 1)),
        ("before 2026-08-15", None, day(8, 15)),
        ("this month", day(9, 1), None),
    ],
)
def test_a_time_is_read_to_its_last_word(
    text: str, begin: datetime | None, end: datetime | None
) -> None:
    taken = spans.read(text.split(), NOW)
    assert taken is not None
    assert taken.words == len(text.split())
    assert (taken.span.begin, taken.span.end) == (begin, end)


def test_hours_are_of_the_day_that_is_named_or_of_today() -> None:
    hours = spans.read(["between", "14:00", "and", "16:00"], NOW)
    assert hours is not None
    whole_day = Span(day(8, 31), day(9, 1), "yesterday")
    of_yesterday = spans.together([whole_day, hours.span], NOW)
    assert (of_yesterday.begin, of_yesterday.end) == (day(8, 31, 14), day(8, 31, 16))
    today = spans.together([hours.span], NOW)
    assert (today.begin, today.end) == (day(9, 1, 14), day(9, 1, 16))
    week = spans.together([Span(day(8, 24), day(8, 31), "last week"), hours.span], NOW)
    assert (week.begin, week.hours) == (day(8, 24), (14, 16))


@pytest.mark.parametrize("text", ["tomorrow", "next week", "on 2026-13-01", "on 31 february"])
def test_a_time_that_is_none_or_still_to_come_is_refused(text: str) -> None:
    with pytest.raises(UnansweredError):
        spans.read(text.split(), NOW)


def test_two_times_that_never_meet_are_refused() -> None:
    week, before = Span(day(8, 31), None, "this week"), Span(day(8, 24), day(8, 31), "last week")
    with pytest.raises(UnansweredError, match="no moment is in"):
        spans.together([week, before], NOW)
    with pytest.raises(UnansweredError, match="still to come"):
        spans.together([Span(day(10, 1), None, "since october")], NOW)
