import numpy as np
import pytest

from backtest.job import Curve, Drawdown
from backtest.metrics import exposure, figures, monthly, period_returns
from tests.unit.backtest.trades import HOUR_US, MONDAY_US, trade

EMPTY = Curve(np.zeros(0, np.int64), np.zeros(0), np.zeros(0))
DAY_US = 24 * HOUR_US


FALLS = Drawdown(), Drawdown(0, 40, 0.004, 0.004, 40)


def of(trades, falls=FALLS, hours=240):
    return figures(trades, EMPTY, falls, 10_000.0, (MONDAY_US, MONDAY_US + hours * HOUR_US), 1)


def test_profit_figures_worked_by_hand():
    nets = [10, -5, 20, 30, -5, -10, 0]
    result = of([trade(n, h, "buy" if h % 2 else "sell") for h, n in enumerate(nets, 1)])
    assert result.net_profit == pytest.approx(40)
    assert (result.gross_profit, result.gross_loss) == pytest.approx((60, -20))
    assert result.profit_factor == pytest.approx(3)
    assert result.expected_payoff == pytest.approx(40 / 7)
    assert result.recovery_factor == pytest.approx(1)
    assert (result.best_trade, result.worst_trade) == pytest.approx((30, -10))
    assert (result.average_win, result.average_loss) == pytest.approx((20, -20 / 3))
    assert (result.consecutive_wins, result.consecutive_wins_money) == (2, pytest.approx(50))
    assert (result.consecutive_losses, result.consecutive_losses_money) == (2, pytest.approx(-15))
    assert (result.long.trades, result.long.won, result.short.trades, result.short.won) == (
        4,
        2,
        3,
        1,
    )
    assert result.long.win_rate == pytest.approx(0.5)
    assert result.turnover == pytest.approx(7 * 1.1)
    assert (result.commission, result.swap) == pytest.approx((-4.9, -1.4))
    assert result.spread_and_slippage == pytest.approx(-3.5)
    assert result.average_holding_s == 3600


def test_calmar_is_the_compounded_yearly_return_over_the_relative_drawdown():
    year_h = 365.25 * 24
    assert of([trade(1_000, 1)], hours=year_h).calmar == pytest.approx(0.1 / 0.004)
    half = of([trade(1_000, 1)], hours=year_h / 2).calmar
    assert half == pytest.approx((1.1**2 - 1) / 0.004)


def test_without_trades_nothing_is_divided():
    result = of([], (Drawdown(), Drawdown()))
    assert result.profit_factor is result.expected_payoff is result.sharpe is result.calmar is None
    assert (result.net_profit, result.exposure, result.trades) == (0, 0, 0)


def test_overlapping_positions_count_once_in_exposure():
    trades = [trade(1, 2, held_h=2), trade(1, 3, held_h=2), trade(1, 9, held_h=1)]
    assert exposure(trades, (MONDAY_US, MONDAY_US + 10 * HOUR_US)) == pytest.approx(0.4)


def test_daily_returns_end_at_five_in_new_york_and_skip_the_weekend():
    """Monday noon UTC to the Wednesday after next: trading days end at 22:00 UTC in winter."""
    at = MONDAY_US + np.array([9, 11, 4 * 24 + 11]) * HOUR_US  # Mon 21:00, 23:00, Fri 23:00
    equity = np.array([10_100.0, 10_200.0, 10_302.0])
    unit, per_year, result = period_returns(
        Curve(at, equity, equity), 10_000.0, (MONDAY_US, MONDAY_US + 9 * DAY_US)
    )
    assert (unit, per_year) == ("day", 252)
    # Mon +1 %, Tue 10,200 / 10,100, Wed to Fri nothing, next Mon 10,302 / 10,200, then nothing
    assert result == pytest.approx([0.01, 100 / 10_100, 0, 0, 0, 0.01, 0, 0])


def test_a_short_span_has_hourly_returns():
    curve = Curve(np.array([MONDAY_US + HOUR_US // 2]), np.array([10_100.0]), np.array([10_100.0]))
    unit, _, result = period_returns(curve, 10_000.0, (MONDAY_US, MONDAY_US + 3 * HOUR_US))
    assert unit == "hour"
    assert result == pytest.approx([0.01, 0, 0])


def test_months_are_those_of_closing():
    result = monthly([trade(5, 0), trade(-3, 24 * 40), trade(1, 24 * 40 + 1)])
    assert {m: (p["net"], p["trades"]) for m, p in result.items()} == {
        "2024-01": (pytest.approx(5), 1),
        "2024-02": (pytest.approx(-2), 2),
    }
