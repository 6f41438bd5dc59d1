"""What prop firms say, as figures: each test is a sentence of such a page."""

import itertools
import math
from datetime import UTC, date, datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.contracts.firm import FirmBreach, FirmFigure, FirmState
from core.errors import InputError
from execution.risk import firm_rules
from execution.risk.firm_rules import FirmRules, Readings, day_start, figures, fold, opened, reading
from execution.risk.limits import parse, render

MINUTE_US, HOUR_US, DAY_US = 60_000_000, 3_600_000_000, 86_400_000_000
DATED = date(2026, 11, 1)


def us(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1e6)


NOON = us("2026-11-10T12:00")


def walked(
    rules: FirmRules, *looks: tuple[int, float, float]
) -> tuple[FirmState, list[FirmBreach]]:
    """The state after (minutes from noon, balance, equity)."""
    first = reading(NOON, 100_000.0, 100_000.0)
    state, breaches = opened(rules, "f", first), list[FirmBreach]()
    for minutes, balance, equity in looks:
        state, news = fold(rules, state, reading(NOON + minutes * MINUTE_US, balance, equity))
        breaches += news
    return state, breaches


def left(rules: FirmRules, state: FirmState, rule: str) -> float:
    return next(f.left for f in figures(rules, state) if f.rule == rule)


def test_a_days_loss_of_floating_equity_counts_from_the_days_balance() -> None:
    rules = FirmRules(dated=DATED, daily_loss=5_000.0)
    state, breaches = walked(rules, (1, 100_000.0, 95_000.01))
    assert breaches == []
    assert left(rules, state, "daily_loss") == pytest.approx(0.01)
    state, breaches = walked(rules, (1, 100_000.0, 95_000.0))
    assert breaches == [FirmBreach("daily_loss", NOON + MINUTE_US, 5_000.0, 5_000.0)]
    assert state.broken[0].ts_us == NOON + MINUTE_US


def test_a_loss_of_balance_alone_lets_equity_fall() -> None:
    rules = FirmRules(dated=DATED, daily_loss=5_000.0, daily_loss_on="balance")
    assert walked(rules, (1, 100_000.0, 90_000.0))[1] == []
    assert walked(rules, (1, 94_000.0, 99_000.0))[1][0].observed == 6_000.0


@pytest.mark.parametrize(
    ("from_", "floor"), [("balance", 95_000.0), ("equity", 98_000.0), ("higher", 98_000.0)]
)
def test_the_day_begins_with_balance_equity_or_the_higher(from_: str, floor: float) -> None:
    rules = FirmRules(dated=DATED, daily_loss=5_000.0, daily_loss_from=from_)
    tomorrow = 12 * 60 + 1
    state, _ = walked(rules, (60, 100_000.0, 103_000.0), (tomorrow, 100_000.0, 103_000.0))
    assert left(rules, state, "daily_loss") == pytest.approx(103_000.0 - floor)


def test_a_broken_day_is_over_at_the_reset_and_may_break_again() -> None:
    rules = FirmRules(dated=DATED, daily_loss=1_000.0)
    looks = (1, 99_000.0, 99_000.0), (800, 98_990.0, 98_990.0), (900, 97_900.0, 97_900.0)
    state, breaches = walked(rules, *looks)
    assert [b.ts_us for b in breaches] == [NOON + MINUTE_US, NOON + 900 * MINUTE_US]
    assert [b.ts_us for b in state.broken] == [NOON + MINUTE_US]  # the first is what counts


def test_a_static_drawdown_counts_from_the_size_whatever_was_gained() -> None:
    rules = FirmRules(dated=DATED, drawdown_share=0.1)
    assert walked(rules, (1, 120_000.0, 120_000.0), (2, 120_000.0, 90_000.5))[1] == []
    assert walked(rules, (1, 120_000.0, 120_000.0), (2, 120_000.0, 90_000.0))[1]


def test_a_trailing_drawdown_follows_every_high() -> None:
    rules = FirmRules(dated=DATED, drawdown=10_000.0, drawdown_kind="trailing")
    _, breaches = walked(rules, (1, 100_000.0, 112_000.0), (2, 100_000.0, 102_000.0))
    assert breaches == [FirmBreach("drawdown", NOON + 2 * MINUTE_US, 10_000.0, 10_000.0)]


def test_a_drawdown_that_trails_days_follows_what_a_day_began_with() -> None:
    rules = FirmRules(dated=DATED, drawdown=10_000.0, drawdown_kind="trailing", drawdown_high="day")
    assert walked(rules, (1, 100_000.0, 112_000.0), (2, 100_000.0, 92_000.0))[1] == []
    tomorrow = 12 * 60
    looks = (1, 112_000.0, 112_000.0), (tomorrow, 112_000.0, 112_000.0)
    assert walked(rules, *looks, (tomorrow + 1, 102_000.0, 102_000.0))[1]


def test_a_trailing_drawdown_may_stop_at_the_starting_balance() -> None:
    rules = FirmRules(
        dated=DATED, drawdown=10_000.0, drawdown_kind="trailing", drawdown_stops_at_size=True
    )
    state, breaches = walked(rules, (1, 130_000.0, 130_000.0), (2, 100_001.0, 100_001.0))
    assert breaches == []
    assert left(rules, state, "drawdown") == pytest.approx(1.0)


def test_what_was_high_before_counts() -> None:
    rules = FirmRules(
        dated=DATED, size=100_000.0, drawdown=5_000.0, drawdown_kind="trailing",
        high_before=104_000.0,
    )  # fmt: skip
    assert walked(rules, (1, 99_000.0, 99_000.0))[1][0].observed == 5_000.0


def test_money_paid_in_or_out_is_neither_gain_nor_loss() -> None:
    rules = FirmRules(dated=DATED, daily_loss=1_000.0, drawdown_share=0.1)
    state, _ = walked(rules, (1, 100_000.0, 99_500.0))
    after = reading(NOON + 2 * MINUTE_US, 90_000.0, 89_500.0)
    state, breaches = fold(rules, state, after, paid=-10_000.0)
    assert breaches == ()
    assert left(rules, state, "daily_loss") == pytest.approx(500.0)


def test_who_was_away_over_the_reset_takes_the_higher_of_two_looks() -> None:
    rules = FirmRules(dated=DATED, daily_loss=1_000.0, daily_loss_from="equity")
    state, _ = walked(rules, (1, 100_000.0, 99_000.5))
    later = reading(NOON + 13 * HOUR_US, 100_000.0, 104_000.0)
    state, _ = fold(rules, state, later, away=True)
    assert state.day_equity == 104_000.0


@pytest.mark.parametrize(
    ("zone", "reset", "moment", "begins"),
    [
        ("Europe/Prague", "00:00", "2026-11-10T22:59", "2026-11-09T23:00"),
        ("Europe/Prague", "00:00", "2026-11-10T23:00", "2026-11-10T23:00"),
        ("America/New_York", "17:00", "2026-11-10T21:59", "2026-11-09T22:00"),
        # Clocks go back on 1 November 2026 in New York: that day of the firm has 25 hours.
        ("America/New_York", "17:00", "2026-11-01T21:59", "2026-10-31T21:00"),
        ("America/New_York", "17:00", "2026-11-01T22:00", "2026-11-01T22:00"),
        # 02:30 does not exist on 29 March 2026 in Prague, and comes twice on 25 October.
        ("Europe/Prague", "02:30", "2026-03-29T01:29", "2026-03-28T01:30"),
        ("Europe/Prague", "02:30", "2026-03-29T01:30", "2026-03-29T01:30"),
        ("Europe/Prague", "02:30", "2026-10-25T00:30", "2026-10-25T00:30"),
        ("Europe/Prague", "02:30", "2026-10-25T01:31", "2026-10-25T00:30"),
    ],
)
def test_a_firms_day_begins_at_its_own_time_and_zone(
    zone: str, reset: str, moment: str, begins: str
) -> None:
    rules = FirmRules(dated=DATED, zone=zone, reset=reset)
    assert day_start(rules, us(moment)) == us(begins)


def test_days_with_an_entry_and_the_largest_days_share_of_the_profit() -> None:
    rules = FirmRules(
        dated=DATED, min_days=3, consistency=0.5, profit_target_share=0.08, days_before=1
    )
    state = opened(rules, "f", reading(NOON, 100_000.0, 100_000.0))
    entries = [NOON + HOUR_US]
    state, _ = fold(
        rules, state, reading(NOON + 2 * HOUR_US, 103_000.0, 103_000.0), entries=entries
    )
    later = reading(NOON + DAY_US, 104_000.0, 104_000.0)
    state, _ = fold(rules, state, later, entries=entries)
    shown = {f.rule: f for f in figures(rules, state)}
    assert (shown["min_days"].observed, shown["min_days"].left) == (2, 1)
    assert shown["profit_target"].left == pytest.approx(4_000.0)
    assert shown["consistency"].observed == pytest.approx(0.75)  # 3,000 of 4,000
    assert shown["consistency"].left == pytest.approx(2_000.0)  # today may have half of 6,000


def test_lots_that_are_left() -> None:
    rules = FirmRules(dated=DATED, max_open_lots=5.0)
    state = opened(rules, "f", reading(NOON, 100_000.0, 100_000.0))
    assert figures(rules, state) == [FirmFigure("open_lots", 5.0, 0.0, 5.0)]
    state, breaches = fold(rules, state, reading(NOON + 1, 100_000.0, 100_000.0, 5.0))
    assert (breaches, figures(rules, state)[0].left) == ((), 0.0)
    state, breaches = fold(rules, state, reading(NOON + 2, 100_000.0, 100_000.0, 5.01))
    assert breaches == (FirmBreach("open_lots", NOON + 2, 5.0, 5.01),)


@settings(max_examples=60, deadline=None)
@given(
    steps=st.lists(st.floats(-900.0, 900.0), min_size=2, max_size=60),
    cuts=st.sets(st.integers(1, 59), max_size=6),
    kind=st.sampled_from(["static", "trailing"]),
    high=st.sampled_from(["day", "account"]),
    of=st.sampled_from(["balance", "equity", "higher"]),
)
def test_looks_in_any_pieces_give_the_same_state_to_the_bit(
    steps: list[float], cuts: set[int], kind: str, high: str, of: str
) -> None:
    """A restart cuts the looks anywhere; what follows may not depend on it."""
    rules = FirmRules(
        dated=DATED, daily_loss=1_500.0, daily_loss_from=of, drawdown=2_500.0, drawdown_kind=kind,
        drawdown_high=high, drawdown_high_of=of, zone="Europe/Prague", max_open_lots=2.0,
        retail=True,
    )  # fmt: skip
    count = len(steps)
    times = NOON + np.arange(1, count + 1) * 2 * HOUR_US
    equity = 100_000.0 + np.cumsum(steps)
    balance = 100_000.0 + np.cumsum(steps) // 500 * 500
    entries = [int(t) for t in times[::5]]
    begin = opened(rules, "f", reading(NOON, 100_000.0, 100_000.0))
    looks = Readings(times, balance, equity, np.arange(count) % 7 / 2, np.arange(count) % 5 * 5e4)
    whole, _ = fold(rules, begin, looks, entries=entries)
    state = begin
    edges = [0, *sorted(cut for cut in cuts if cut < count), count]
    for first, last in itertools.pairwise(edges):
        piece = looks.part(first, last)
        state, _ = fold(rules, state, piece, entries=entries)
    assert state == whole


def test_the_example_that_ships_is_good_and_survives_being_shown() -> None:
    content = firm_rules.EXAMPLE.read_bytes()
    book = parse(content, "example")
    name, rules = book.firm_of("simulated") or ("", None)
    assert name == "invented_100k"
    again = parse(render(book).encode(), "again")
    assert (again.firms, again.news) == (book.firms, book.news)
    assert again.firm_of("simulated") == ("invented_100k", rules)
    assert b"invented" in content.lower()


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('zone = "Prague"', r"\[firms.f\] zone: 'Prague' is no time zone; .*Europe/Prague"),
        ('reset = "25:00"', r"\[firms.f\] reset: '25:00' is no time of day"),
        ("daily_los = 5", r"\[firms.f\] daily_los: unknown; did you mean 'daily_loss'"),
        ("news_before_min = -2", r"\[firms.f\] news_before_min: -2: .*from 0 on"),
        ("margin_share = 1.0", r"margin_share is below 1"),
        ('on_breach = "shout"', r"\[firms.f\] on_breach: Invalid enum"),
        ("drawdown = nan", r"\[firms.f\] drawdown: nan"),
    ],
)
def test_a_preset_with_a_mistake_names_table_key_and_remedy(text: str, problem: str) -> None:
    with pytest.raises(InputError, match=problem):
        parse(f'version = "t"\n[firms.f]\ndated = 2026-01-01\n{text}\n'.encode(), "limits.toml")


def test_a_preset_says_of_when_it_is_and_an_account_names_one_that_is_there() -> None:
    with pytest.raises(InputError, match=r"\[firms.f\] dated: is missing"):
        parse(b'version = "t"\n[firms.f]\ndaily_loss = 5\n', "limits.toml")
    text = b'version = "t"\n[accounts.a]\nfirm = "g"\n[firms.f]\ndated = 2026-01-01\n'
    with pytest.raises(InputError, match=r"\[accounts.a\] firm: no table \[firms.g\]; known: f"):
        parse(text, "limits.toml")
    assert math.isinf(parse(text.replace(b'"g"', b'"f"'), "t").firms["f"].daily_loss)
