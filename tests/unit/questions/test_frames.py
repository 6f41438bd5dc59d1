"""What people put around a question, and what would be guessed at, as paraphrases taught it."""

from datetime import UTC, datetime

import pytest

from questions import grammar
from questions.frames import unframed
from questions.lexicon import lexicon
from questions.named import Names
from questions.plan import Filter, Plan, UnansweredError

NOW = datetime(2026, 9, 1, 12, tzinfo=UTC)
WORDS = lexicon(
    Names(
        symbols=("BTCUSD", "EURUSD", "XAUUSD"), strategies=("trend",), rules=("wide_spread",),
        stages=("risk",),
    )
)  # fmt: skip


def plan(text: str) -> Plan:
    return grammar.plan(text, WORDS, NOW)


@pytest.mark.parametrize(
    ("said", "read"),
    [
        ("morning! what did we make on gold", "what did we make on gold"),
        ("give me the hours that lost money", "which hours that lost money"),
        ("our best day, which weekday was it?", "which weekday our best day?"),
        ("breaks in yesterday's emir report?", "breaks in emir report yesterday"),
        ("3 or more orders", "at least 3 orders"),
        ("gold since 6 this morning", "gold since 6:00"),
    ],
)
def test_a_frame_is_taken_off_and_the_order_is_that_of_the_grammar(said: str, read: str) -> None:
    assert " ".join(unframed(said).split()) == read


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("profit from yesterday", "profit yesterday"),
        ("number of orders sent today", "orders sent today"),
        ("lowest equity for each of the past 12 hours", "lowest equity by hour, last 12 hours"),
        ("orders each rule denied today", "denied orders by rule today"),
        ("what was our loss on gold", "profit on gold"),
        ("what does a losing trade cost on average", "average loss of a losing trade"),
        ("slippage by broker", "slippage for each broker"),
        ("alerts by control", "alerts for each control"),
        ("the hour with the biggest loss today", "which hour lost most today"),
    ],
)
def test_two_wordings_come_to_one_plan(one: str, other: str) -> None:
    a, b = plan(one), plan(other)
    same = ("measure", "dimensions", "filters", "order", "limit")
    assert [getattr(a, name) for name in same] == [getattr(b, name) for name in same]
    assert (a.span.begin, a.span.end) == (b.span.begin, b.span.end)


def test_the_worst_losses_are_the_largest() -> None:
    assert plan("three worst losses").order == "least"
    assert plan("which symbol fell most today").order == "least"
    assert plan("the biggest loser today: when did it close").order == "least"


def test_what_is_sorted_is_all_and_what_is_together_is_one() -> None:
    assert plan("trades sorted by profit").limit == 0
    assert plan("profit of gold and bitcoin combined").dimensions == ()
    assert plan("profit of gold and bitcoin").dimensions == ("symbol",)


def test_a_bound_beside_a_result_is_of_those_trades_alone() -> None:
    winners = plan("number of winning trades longer than 10 minutes")
    assert winners.filters == (Filter("result", ("winner",)),)
    assert winners.aggregate == "rows"


def test_hours_that_are_said_twice_are_those_in_both() -> None:
    assert plan("profit in the morning in the london session").span.hours == (7, 12)
    with pytest.raises(UnansweredError, match="no moment"):
        plan("profit in the morning in the new york session")


@pytest.mark.parametrize(
    "text",
    [
        "which hours cost us over 300",
        "share of orders denied by wide spread",
        "ratio of winners to losers",
        "long profit minus short profit",
        "top 10 percent of trades",
        "top symbol by profit and by trades",
        "biggest winner on gold and on euro",
        "biggest winner and biggest loser today",
        "what share of gold signals became trades",
        "how much does the spread vary on gold",
        "how long was the spread above 5 points",
        "gold's opening price today and the current one",
        "largest number of trades in one hour",
        "which symbols fell today",
        "signals with confidence",
        "is the var above 1000",
        "least profitable symbol and its loss",
        "the most expensive trade",
        "when do we make the most money",
    ],
)
def test_what_would_be_guessed_at_is_refused(text: str) -> None:
    with pytest.raises(UnansweredError):
        plan(text)
