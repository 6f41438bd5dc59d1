"""Figures of a backtest, by the names MT5's tester gives them.

Everything is a few lines over trades and an equity curve, so that each can be checked by hand.
Money is in account currency; a figure that the data cannot give is None.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import groupby

import msgspec
import numpy as np
import numpy.typing as npt

from backtest import sharpe
from backtest.job import Curve, Drawdown, Trade
from core.instruments import NEW_YORK

Floats = npt.NDArray[np.float64]
_DAYS_A_YEAR = 252
_HOURS_A_YEAR = 252 * 24
_HOUR_US = 3_600_000_000
_LEAST_DAYS = 5  # with fewer, ratios are of hourly returns
_YEAR_US = 365.25 * 24 * _HOUR_US


class Side(msgspec.Struct, frozen=True):
    """Trades of one direction."""

    trades: int
    won: int
    win_rate: float | None


class Figures(msgspec.Struct, frozen=True):
    """Everything about money, risk and trades."""

    deposit: float
    net_profit: float
    gross_profit: float
    gross_loss: float
    profit_factor: float | None
    expected_payoff: float | None
    recovery_factor: float | None
    balance_drawdown: Drawdown
    equity_drawdown: Drawdown
    returns_of: str  # "day" or "hour"
    returns: int
    sharpe: float | None  # annualised; as the next two
    sortino: float | None
    calmar: float | None
    probabilistic_sharpe: float | None
    deflated_sharpe: float | None
    trials: int
    trades: int
    long: Side
    short: Side
    best_trade: float | None
    worst_trade: float | None
    average_win: float | None
    average_loss: float | None
    consecutive_wins: int
    consecutive_wins_money: float
    consecutive_losses: int
    consecutive_losses_money: float
    average_holding_s: float | None
    exposure: float  # share of the span with a position open
    turnover: float  # notional of entries over the deposit
    commission: float
    swap: float
    spread_and_slippage: float


def figures(
    trades: Sequence[Trade], curve: Curve, drawdowns: tuple[Drawdown, Drawdown], deposit: float,
    span_us: tuple[int, int], trials: int,
) -> Figures:  # fmt: skip
    """All figures.

    Args:
        trades: in the order they closed.
        drawdowns: drawdowns of balance and of equity.
        span_us: first and last market time.
        trials: for the deflated Sharpe ratio.
    """
    nets = np.array([trade.net for trade in trades])
    won, lost = nets[nets > 0], nets[nets < 0]
    unit, per_year, returns = period_returns(curve, deposit, span_us)
    wins, losses = _streak(nets, positive=True), _streak(nets, positive=False)
    equity_drawdown, net = drawdowns[1], float(nets.sum())
    ratio, sortino = sharpe.sharpe(returns), sharpe.sortino(returns)
    return Figures(
        deposit=deposit,
        net_profit=net,
        gross_profit=float(won.sum()),
        gross_loss=float(lost.sum()),
        profit_factor=_over(float(won.sum()), -float(lost.sum())),
        expected_payoff=_over(net, len(nets)),
        recovery_factor=_over(net, equity_drawdown.maximal),
        balance_drawdown=drawdowns[0],
        equity_drawdown=equity_drawdown,
        returns_of=unit,
        returns=len(returns),
        sharpe=None if ratio is None else ratio * per_year**0.5,
        sortino=None if sortino is None else sortino * per_year**0.5,
        calmar=_calmar(net, deposit, equity_drawdown.relative, span_us),
        probabilistic_sharpe=None if ratio is None else sharpe.probabilistic(ratio, returns),
        deflated_sharpe=sharpe.deflated(returns, trials),
        trials=trials,
        trades=len(trades),
        long=_side(t for t in trades if t.side == "buy"),
        short=_side(t for t in trades if t.side == "sell"),
        best_trade=float(nets.max()) if len(nets) else None,
        worst_trade=float(nets.min()) if len(nets) else None,
        average_win=_over(float(won.sum()), len(won)),
        average_loss=_over(float(lost.sum()), len(lost)),
        consecutive_wins=wins[0],
        consecutive_wins_money=wins[1],
        consecutive_losses=losses[0],
        consecutive_losses_money=losses[1],
        average_holding_s=_over(sum(t.closed_us - t.opened_us for t in trades) / 1e6, len(trades)),
        exposure=exposure(trades, span_us),
        turnover=sum(t.notional for t in trades) / deposit,
        commission=sum(t.commission for t in trades),
        swap=sum(t.swap for t in trades),
        spread_and_slippage=-sum(t.cost for t in trades),
    )


def exposure(trades: Iterable[Trade], span_us: tuple[int, int]) -> float:
    """Share of the span in which at least one position was open."""
    covered, until = 0, span_us[0]
    for opened, closed in sorted((t.opened_us, t.closed_us) for t in trades):
        covered += max(closed - max(opened, until), 0)
        until = max(until, closed)
    return covered / max(span_us[1] - span_us[0], 1)


def period_returns(
    curve: Curve, deposit: float, span_us: tuple[int, int]
) -> tuple[str, int, Floats]:
    """Returns of equity per trading day (it ends at 17:00 New York), or per hour of a short span.

    Days and hours of a weekend do not count. Gives the unit, periods a year, and the returns.
    """
    ends = _day_ends(span_us)
    if len(ends) >= _LEAST_DAYS:
        return "day", _DAYS_A_YEAR, _returns(curve, deposit, ends)
    return "hour", _HOURS_A_YEAR, _returns(curve, deposit, _hour_ends(span_us))


def _returns(curve: Curve, deposit: float, ends_us: Sequence[int]) -> Floats:
    position = np.searchsorted(curve.time_us, np.array(ends_us, np.int64), side="left") - 1
    values = (
        np.concatenate([[deposit], curve.equity])[position + 1] if len(ends_us) else np.zeros(0)
    )
    before = np.concatenate([[deposit], values[:-1]])[: len(values)]
    return np.asarray(values / before - 1.0, np.float64)


def _day_ends(span_us: tuple[int, int]) -> list[int]:
    """Ends of the trading days that a span touches, Monday to Friday."""
    day = datetime.fromtimestamp(span_us[0] / 1e6, NEW_YORK).replace(
        hour=17, minute=0, second=0, microsecond=0
    )
    ends: list[int] = []
    while not ends or ends[-1] < span_us[1]:
        end_us = round(day.timestamp() * 1e6)
        if day.weekday() < 5 and end_us > span_us[0]:
            ends.append(end_us)
        day += timedelta(days=1)  # of local time: an end stays at 17:00 over a clock change
    return ends


def _hour_ends(span_us: tuple[int, int]) -> list[int]:
    first = span_us[0] // _HOUR_US + 1
    ends = range(first * _HOUR_US, span_us[1] + _HOUR_US, _HOUR_US)
    return [end for end in ends if datetime.fromtimestamp(end / 1e6, NEW_YORK).weekday() != 5]


def monthly(trades: Iterable[Trade]) -> dict[str, dict[str, float]]:
    """Net profit and number of trades by month of closing, UTC."""
    closed = sorted(trades, key=lambda t: t.closed_us)
    months: dict[str, dict[str, float]] = {}
    for month, some in groupby(closed, key=lambda t: utc(t.closed_us).strftime("%Y-%m")):
        part = list(some)
        months[month] = {"net": sum(t.net for t in part), "trades": len(part)}
    return months


def utc(time_us: int) -> datetime:
    """A time as UTC."""
    return datetime.fromtimestamp(time_us / 1e6, UTC)


def _side(trades: Iterable[Trade]) -> Side:
    nets = [trade.net for trade in trades]
    won = sum(net > 0 for net in nets)
    return Side(len(nets), won, _over(won, len(nets)))


def _streak(nets: Floats, *, positive: bool) -> tuple[int, float]:
    """The longest run of wins (or losses) and its money; of equal ones the greater money."""
    runs = [list(run) for key, run in groupby(nets.tolist(), key=lambda n: (n > 0, n < 0))]
    fit = [run for run in runs if (run[0] > 0 if positive else run[0] < 0)]
    best = max(fit, key=lambda run: (len(run), abs(sum(run))), default=[])
    return len(best), float(sum(best))


def _calmar(net: float, deposit: float, drawdown: float, span_us: tuple[int, int]) -> float | None:
    """Yearly return (compounded) over the greatest relative drawdown of equity."""
    years, growth = (span_us[1] - span_us[0]) / _YEAR_US, 1.0 + net / deposit
    if drawdown <= 0 or years <= 0 or growth <= 0:
        return None
    power = min(np.log(growth) / years, 50.0)
    return float(np.expm1(power)) / drawdown


def _over(value: float, by: float) -> float | None:
    return value / by if by else None
