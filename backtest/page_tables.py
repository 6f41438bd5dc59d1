"""The tables of the report's page, and how numbers are written there."""

from collections.abc import Sequence
from html import escape
from typing import Any

from backtest.job import Drawdown, Trade
from backtest.portfolio import PortfolioResult

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

Rows = Sequence[tuple[str, str]]


def amount(value: float | None) -> str:
    """Money with a true minus; a dash for none."""
    return "–" if value is None else f"{value:,.2f}".replace("-", "\u2212")  # noqa: RUF001


def ratio(value: float | None) -> str:
    """A ratio; a dash for none."""
    return amount(value)


def percent(share: float | None) -> str:
    """A share as percent; a dash for none."""
    return "–" if share is None else f"{share * 100:,.2f} %".replace("-", "\u2212")  # noqa: RUF001


def figures(result: PortfolioResult, report: dict[str, Any]) -> str:
    """All figures as four small tables."""
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
    left = _table("Result", outcome) + _table("Costs, in the net profit", costs)
    return (
        f"<div>{left}{_table('From ticks to orders', counts)}</div>"
        f"<div>{_table('Risk', risk)}{_table('Trades', traded)}</div>"
    )


def months(by_month: dict[str, dict[str, float]]) -> str:
    """Net profit by year and month."""
    years: dict[str, dict[int, float]] = {}
    for name, part in by_month.items():
        years.setdefault(name[:4], {})[int(name[5:])] = part["net"]
    head = "".join(f"<th>{name}</th>" for name in _MONTHS)
    rows = "".join(
        f"<tr><td>{year}</td>"
        + "".join(_signed(part.get(n)) for n in range(1, 13))
        + _signed(sum(part.values()))
        + "</tr>"
        for year, part in years.items()
    )
    return (
        f'<table class="list"><thead><tr><th>Year</th>{head}<th>All</th></tr></thead>'
        f"<tbody>{rows}</tbody></table>"
    )


def causes(trades: Sequence[Trade]) -> str:
    """What closed the trades."""
    groups: dict[str, list[float]] = {}
    for trade in trades:
        groups.setdefault(trade.cause, []).append(trade.net)
    rows = "".join(
        f"<tr><td>{escape(cause)}</td><td>{len(nets):,}</td>{_signed(sum(nets))}</tr>"
        for cause, nets in sorted(groups.items(), key=lambda g: -len(g[1]))
    )
    return (
        "<table><caption>What closed them</caption><thead><tr><th>cause</th><th>trades</th>"
        f"<th>net</th></tr></thead><tbody>{rows}</tbody></table>"
    )


def accounts(rows_by_account: Sequence[dict[str, Any]]) -> str:
    """One row per account."""
    rows = "".join(
        f"<tr><td>{escape(a['name'])}</td><td>{a['from'][:10]}</td><td>{a['to'][:10]}</td>"
        f"<td>{a['ticks']:,}</td><td>{a['signals']:,}</td><td>{a['trades']:,}</td>"
        f"<td>{amount(a['equity_drawdown']['maximal'])}</td>{_signed(a['net_profit'])}</tr>"
        for a in rows_by_account
    )
    head = "".join(
        f"<th>{name}</th>"
        for name in ("account", "from", "to", "ticks", "signals", "trades", "drawdown", "net")
    )
    return f'<table class="list"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>'


def trades(rows: Sequence[dict[str, Any]]) -> str:
    """The list of trades."""
    head = "".join(
        f"<th{' class=left' if name in ('symbol', 'side', 'closed by') else ''}>{name}</th>"
        for name in ("opened, UTC", "symbol", "side", "lots", "price", "closed", "price",
                     "closed by", "costs", "worst", "best", "net")
    )  # fmt: skip
    return (
        f'<table class="list"><thead><tr>{head}</tr></thead>'
        f"<tbody>{''.join(map(_trade, rows))}</tbody></table>"
    )


def _trade(t: dict[str, Any]) -> str:
    costs = t["commission"] + t["swap"] - t["cost"]
    return (
        f'<tr><td>{t["opened"][:19]}</td><td class="left">{escape(t["symbol"])}</td>'
        f'<td class="left">{t["side"]}</td><td>{t["volume"]:g}</td><td>{t["price"]:.8g}</td>'
        f"<td>{t['closed'][:19]}</td><td>{t['exit_price']:.8g}</td>"
        f'<td class="left">{escape(t["cause"])}</td><td>{amount(costs)}</td>'
        f"<td>{amount(t['mae'])}</td><td>{amount(t['mfe'])}</td>{_signed(t['net'])}</tr>"
    )


def _table(caption: str, rows: Rows) -> str:
    body = "".join(f"<tr><th>{name}</th><td>{value}</td></tr>" for name, value in rows)
    return f"<table><caption>{caption}</caption><tbody>{body}</tbody></table>"


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
        reasons = ", ".join(f"{escape(name)}: {n:,}" for name, n in by_reason.items())
    else:
        reasons = escape("".join(by_reason))
    return f"{count:,}" + (f" ({reasons})" if reasons else "")


def _streak(count: int, money: float) -> str:
    return f"{count:,} ({amount(money)})" if count else "–"  # noqa: RUF001


def _duration(seconds: float | None) -> str:
    if seconds is None:
        return "–"  # noqa: RUF001
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min {rest:02d} s"


def _signed(value: float | None) -> str:
    if value is None:
        return '<td class="soft">·</td>'
    colour = "good" if value > 0 else "bad" if value < 0 else "soft"
    return f'<td class="{colour}">{amount(value)}</td>'
