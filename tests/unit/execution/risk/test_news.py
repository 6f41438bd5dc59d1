"""Rules about news: what holds when, and what was known then."""

from pathlib import Path

import pytest

from core import calendar
from core.calendar import CalendarContent, CalendarEvent, Coverage
from core.instruments import instrument
from execution.risk.news import News, NewsRule

MINUTE = 60_000_000
PAYROLLS = 1_762_522_200_000_000  # 7 November 2025, 13:30 UTC
BEGIN, END = PAYROLLS - 5 * 1440 * MINUTE, PAYROLLS + 5 * 1440 * MINUTE
RULES = {
    "payrolls": NewsRule(
        currencies=("USD",), name="*nonfarm*", before_min=15.0, after_min=30.0, action="flatten"
    ),
    "all": NewsRule(importance="medium", before_min=2.0, after_min=2.0, action="reduce"),
}


def event(published_us: int = BEGIN, at_us: int = PAYROLLS, **more) -> CalendarEvent:
    fields = {"currency": "USD", "importance": "high", "name": "Nonfarm Payrolls"} | more
    return CalendarEvent("c", "840", published_us, at_us, **fields)


def news(tmp_path: Path, *events: CalendarEvent) -> News:
    path = calendar.path_in(tmp_path)
    calendar.save(path, CalendarContent(list(events), [Coverage("c", BEGIN, END, BEGIN)]))
    return News(path)


def holding(calendar_news: News, at_us: int, symbol: str = "EURUSD") -> list[str]:
    return [w.rule for w in calendar_news.at(RULES, symbol, instrument(symbol, at_us), at_us)]


def test_a_rule_holds_from_minutes_before_to_minutes_after_both_included(tmp_path: Path) -> None:
    calendar_news = news(tmp_path, event())
    assert holding(calendar_news, PAYROLLS - 15 * MINUTE - 1) == []
    assert holding(calendar_news, PAYROLLS - 15 * MINUTE) == ["payrolls"]
    assert holding(calendar_news, PAYROLLS) == ["payrolls", "all"]  # the strictest first
    assert holding(calendar_news, PAYROLLS + 30 * MINUTE) == ["payrolls"]
    assert holding(calendar_news, PAYROLLS + 30 * MINUTE + 1) == []


def test_an_event_concerns_the_symbols_of_its_currency(tmp_path: Path) -> None:
    calendar_news = news(tmp_path, event())
    assert holding(calendar_news, PAYROLLS, "XAUUSD")
    assert holding(calendar_news, PAYROLLS, "EURGBP") == []
    assert holding(calendar_news, PAYROLLS, "NEVERHEARD")  # nobody knows what it is quoted in
    low = news(tmp_path, event(importance="low"))
    assert holding(low, PAYROLLS) == []


def test_a_reschedule_is_known_from_when_it_was_published(tmp_path: Path) -> None:
    announced = PAYROLLS - 1440 * MINUTE
    moved = event(announced, PAYROLLS + 60 * MINUTE)
    calendar_news = news(tmp_path, event(), moved)
    assert holding(calendar_news, PAYROLLS) == []
    assert holding(calendar_news, PAYROLLS + 60 * MINUTE)
    only_then = PAYROLLS - 14 * MINUTE
    calendar_news = news(tmp_path, event(), event(only_then, PAYROLLS + 60 * MINUTE))
    assert holding(calendar_news, only_then - 1) == ["payrolls"]
    assert holding(calendar_news, only_then) == []


def test_what_was_called_off_holds_nothing_back(tmp_path: Path) -> None:
    calendar_news = news(tmp_path, event(), event(PAYROLLS - MINUTE, is_cancelled=True))
    assert holding(calendar_news, PAYROLLS) == []


def test_the_next_flattening_sees_what_is_published_on_the_way(tmp_path: Path) -> None:
    traded, begin = instrument("EURUSD", PAYROLLS), PAYROLLS - 600 * MINUTE
    calendar_news = news(tmp_path, event())
    due = calendar_news.next_flatten_us(RULES, "EURUSD", traded, begin, PAYROLLS)
    assert due == PAYROLLS - 15 * MINUTE
    surprise = event(PAYROLLS - 5 * MINUTE, PAYROLLS)
    calendar_news = news(tmp_path, surprise)
    assert (
        calendar_news.next_flatten_us(RULES, "EURUSD", traded, begin, PAYROLLS)
        == PAYROLLS - 5 * MINUTE
    )
    moved = event(PAYROLLS - 60 * MINUTE, PAYROLLS + 1440 * MINUTE)
    calendar_news = news(tmp_path, event(), moved)
    assert calendar_news.next_flatten_us(RULES, "EURUSD", traded, begin, PAYROLLS) is None


def test_where_the_calendar_says_nothing_of_now_nobody_knows(tmp_path: Path) -> None:
    calendar_news = news(tmp_path, event())
    assert not calendar_news.is_silent(RULES, PAYROLLS)
    assert calendar_news.is_silent(RULES, END - 10 * MINUTE)  # events 30 minutes on are not known
    assert calendar_news.is_silent(RULES, BEGIN - 1)
    assert not calendar_news.is_silent({}, END)
    assert News(tmp_path / "none.json").is_silent(RULES, PAYROLLS)


@pytest.mark.parametrize("content", [b"", b"{", b'{"events": 3}', b"\xff\xfe"])
def test_a_damaged_calendar_says_nothing_and_is_told_of(tmp_path: Path, content: bytes) -> None:
    calendar_news = news(tmp_path, event())
    calendar.path_in(tmp_path).write_bytes(content)
    calendar_news.poll()
    assert calendar_news.is_silent(RULES, PAYROLLS)
    assert "import again" in calendar_news.problem
