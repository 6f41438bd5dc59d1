"""What stands in the tables of the report's page, and how numbers are written there."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from backtest.job import Drawdown, Trade
from backtest.portfolio import PortfolioResult

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

Rows = Sequence[tuple[str, str]]


class Table(NamedTuple):
    """Names and values under a caption."""

    caption: str
    rows: Rows


class Year(NamedTuple):
    """Net profit by month, None where there was no trade, and of the whole year."""

    name: str
    nets: list[float | None]


class Cause(NamedTuple):
    """What closed some of the trades."""

    name: str
    trades: int
    net: float


def amount(value: float | None) -> str:
    """Money with a true minus; a dash for none."""
    return "–" if value is None else f"{value:,.2f}".replace("-", "\u2212")  # noqa: RUF001


def ratio(value: float | None) -> str:
    """A ratio; a dash for none."""
    return amount(value)


def percent(share: float | None) -> str:
    """A share as percent; a dash for none."""
    return "–" if share is None else f"{share * 100:,.2f} %".replace("-", "\u2212")  # noqa: RUF001


def figures(result: PortfolioResult, report: dict[str, Any]) -> list[list[Table]]:
    """All figures as small tables, in two columns."""
    known = result.figures
    long, short = known.long, known.short
    outcome = (
        ("Gross profit", amount(known.gross_profit)),
        ("Gross loss", amount(known.gross_loss)),
        ("Net profit", amount(known.net_profit)),
        ("Expected payoff", amount(known.expected_payoff)),
        ("Best, worst trade", f"{amount(known.best_trade)}, {amount(known.worst_trade)}"),
        ("Average win, loss", f"{amount(known.average_win)}, {amount(known.average_loss)}"),
    )
    risk = (
        *_drawdown("Balance", known.balance_drawdown),
        *_drawdown("Equity", known.equity_drawdown),
        ("Sortino ratio", ratio(known.sortino)),
        ("Calmar ratio", ratio(known.calmar)),
        ("Recovery factor", ratio(known.recovery_factor)),
        ("Probabilistic Sharpe ratio", percent(known.probabilistic_sharpe)),
        (f"Deflated Sharpe ratio, {known.trials:,} trial(s)", percent(known.deflated_sharpe)),
    )
    traded = (
        ("Long trades, won", f"{long.trades:,}, {percent(long.win_rate)}"),
        ("Short trades, won", f"{short.trades:,}, {percent(short.win_rate)}"),
        ("Most wins in a row", _streak(known.consecutive_wins, known.consecutive_wins_money)),
        ("Most losses in a row", _streak(known.consecutive_losses, known.consecutive_losses_money)),
        ("Average holding", _duration(known.average_holding_s)),
        ("Time in the market", percent(known.exposure)),
        ("Turnover, of the deposit", f"{known.turnover:,.2f} x"),
    )
    costs = (
        ("Spread and slippage", amount(known.spread_and_slippage)),
        ("Commission", amount(known.commission)),
        ("Swap", amount(known.swap)),
    )
    denied = _because(report["orders_denied"], report["denied_by_reason"])
    rejected = _because(report["orders_rejected"], report["rejected_by_reason"])
    counts = (
        ("Feature rows", f"{report['features']:,}"),
        ("Predictions", f"{report['predictions']:,}"),
        ("Signals", f"{report['signals']:,}"),
        ("Orders sent", f"{report['orders']:,}"),
        ("Denied by our checks", denied),
        ("Refused by the broker", rejected),
        (
            "Filled at the standing quote, none came for 10 s",
            f"{report['fills_at_standing_quote']:,}",
        ),
        ("Stops at the broker", f"{report['closed_by_broker']:,}"),
    )
    return [
        [
            Table("Result", outcome),
            Table("Costs, in the net profit", costs),
            Table("From ticks to orders", counts),
        ],
        [Table("Risk", risk), Table("Trades", traded)],
    ]


def months(by_month: dict[str, dict[str, float]]) -> list[Year]:
    """Net profit by year and month."""
    years: dict[str, dict[int, float]] = {}
    for name, part in by_month.items():
        years.setdefault(name[:4], {})[int(name[5:])] = part["net"]
    return [
        Year(year, [*(part.get(n) for n in range(1, 13)), sum(part.values())])
        for year, part in years.items()
    ]


class Earned(NamedTuple):
    """What one strategy earned in one symbol, account currency."""

    strategy: str
    symbol: str
    trades: int
    won: int
    costs: float
    net: float


def earned(trades: Sequence[Trade]) -> list[Earned]:
    """By strategy and symbol. `costs`: spread, slippage, commission and swap, negative is paid."""
    groups: dict[tuple[str, str], list[Trade]] = {}
    for trade in trades:
        groups.setdefault((trade.strategy, trade.symbol), []).append(trade)
    return [
        Earned(
            strategy, symbol, len(own), sum(t.net > 0 for t in own),
            round(sum(t.commission + t.swap - t.cost for t in own), 2),
            round(sum(t.net for t in own), 2),
        )
        for (strategy, symbol), own in sorted(groups.items())
    ]  # fmt: skip


def causes(trades: Sequence[Trade]) -> list[Cause]:
    """What closed the trades, the most frequent first."""
    groups: dict[str, list[float]] = {}
    for trade in trades:
        groups.setdefault(trade.cause, []).append(trade.net)
    largest_first = sorted(groups.items(), key=lambda group: -len(group[1]))
    return [Cause(name, len(nets), sum(nets)) for name, nets in largest_first]


def _drawdown(of: str, drawdown: Drawdown) -> Rows:
    return (
        (f"{of} drawdown, absolute", amount(drawdown.absolute)),
        (
            f"{of} drawdown, maximal",
            f"{amount(drawdown.maximal)} ({percent(drawdown.maximal_share)})",
        ),
        (
            f"{of} drawdown, relative",
            f"{percent(drawdown.relative)} ({amount(drawdown.relative_money)})",
        ),
    )


def _because(count: int, by_reason: dict[str, int]) -> str:
    """A count, with its only reason, or each reason and its share."""
    if len(by_reason) > 1:
        reasons = ", ".join(f"{name}: {n:,}" for name, n in by_reason.items())
    else:
        reasons = "".join(by_reason)
    return f"{count:,}" + (f" ({reasons})" if reasons else "")


def _streak(count: int, money: float) -> str:
    return f"{count:,} ({amount(money)})" if count else "–"  # noqa: RUF001


def _duration(seconds: float | None) -> str:
    if seconds is None:
        return "–"  # noqa: RUF001
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min {rest:02d} s"
