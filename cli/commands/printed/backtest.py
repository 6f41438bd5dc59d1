"""A backtest's report as tables for a person at a terminal."""

from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from backtest import firm
from backtest.page_tables import amount, percent, ratio


def show(report: dict[str, Any], files: Sequence[str], console: Console) -> None:
    """Print the figures, the accounts when there are several, and where the page is."""
    console.print(_summary(report))
    for warning in report["warnings"]:
        console.print(Text(warning, style="bold red"))
    if report["firm"]:
        console.print(firm_table(report["firm"]))
    if len(report["accounts"]) > 1:
        console.print(_accounts(report["accounts"]))
    for file in files:
        console.print(file, soft_wrap=True, highlight=False)


def _summary(report: dict[str, Any]) -> Table:
    f, currency = report["figures"], report["currency"]
    table = Table(title=f"Backtest {report['run_id']}", title_justify="left", show_header=False)
    table.add_column(style="bold")
    table.add_column(justify="right")
    table.add_column()
    drawdown, balance = f["equity_drawdown"], f["balance_drawdown"]
    denied = ", ".join(f"{n:,} {reason}" for reason, n in report["denied_by_reason"].items())
    rejected = ", ".join(f"{n:,}: {reason}" for reason, n in report["rejected_by_reason"].items())
    speed = f"{report['wall_s']:.1f} s, {report['workers']} process(es)"
    profit = Text(amount(f["net_profit"]), style="green" if f["net_profit"] > 0 else "red")
    rows: tuple[tuple[str, str | Text, str], ...] = (
        ("ticks", f"{report['ticks']:,}", f"{report['from'][:19]} to {report['to'][:19]} UTC"),
        ("signals", f"{report['signals']:,}", f"strategy {report['strategy']}"),
        ("orders", f"{report['orders']:,}", f"{report['orders_denied']:,} denied {denied}".strip()),
        ("rejected", f"{report['orders_rejected']:,}", rejected),
        ("net profit", profit, f"{currency}, all costs included"),
        ("gross", amount(f["gross_profit"]), f"and {amount(f['gross_loss'])}"),
        ("profit factor", ratio(f["profit_factor"]), ""),
        ("expected payoff", amount(f["expected_payoff"]), f"{currency} a trade"),
        ("Sharpe, Sortino", ratio(f["sharpe"]), f"{ratio(f['sortino'])} · of {f['returns']}"
         f" {f['returns_of']}s, yearly"),
        ("Calmar, recovery", ratio(f["calmar"]), ratio(f["recovery_factor"])),
        ("deflated Sharpe", percent(f["deflated_sharpe"]), f"{f['trials']:,} trial(s)"),
        ("drawdown, equity", amount(drawdown["maximal"]), percent(drawdown["maximal_share"])),
        ("drawdown, balance", amount(balance["maximal"]), percent(balance["maximal_share"])),
        ("trades", f"{f['trades']:,}", f"won: long {percent(f['long']['win_rate'])},"
         f" short {percent(f['short']['win_rate'])}"),
        ("costs", amount(f["commission"] + f["swap"] + f["spread_and_slippage"]),
         f"spread and slippage {amount(f['spread_and_slippage'])},"
         f" commission {amount(f['commission'])}, swap {amount(f['swap'])}"),
        ("exposure", percent(f["exposure"]), f"turnover {f['turnover']:,.2f} x"),
        ("ticks per second", f"{report['ticks_per_s']:,}", speed),
    )  # fmt: skip
    for row in rows:
        table.add_row(*row)
    return table


def firm_table(rules: Sequence[dict[str, Any]]) -> Table:
    """Every rule of a firm, and what came of it."""
    table = Table(title="Rules of the firm", title_justify="left")
    for name in ("account", "rule", "limit", "at the end", "least left", "verdict"):
        table.add_column(
            name, justify="left" if name in ("account", "rule", "verdict") else "right"
        )
    for row in firm.table(rules):
        colour = "red" if row.is_bad else ""
        table.add_row(row.account, row.rule, row.limit, row.end, row.least,
                      Text(row.verdict, style=colour))  # fmt: skip
    return table


def _accounts(accounts: Sequence[dict[str, Any]]) -> Table:
    table = Table(title="Accounts", title_justify="left")
    for name in ("account", "ticks", "signals", "trades", "drawdown", "net profit"):
        table.add_column(name, justify="left" if name == "account" else "right")
    for a in accounts:
        table.add_row(
            a["name"], f"{a['ticks']:,}", f"{a['signals']:,}", f"{a['trades']:,}",
            amount(a["equity_drawdown"]["maximal"]), amount(a["net_profit"]),
        )  # fmt: skip
    return table
