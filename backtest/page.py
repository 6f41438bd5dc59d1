"""The report as one HTML file that loads nothing: no script, no font, no picture from elsewhere."""

from collections.abc import Iterable, Sequence
from html import escape
from importlib import resources
from typing import Any

from backtest import page_tables as tables
from backtest import plots
from backtest.metrics import Figures
from backtest.page_tables import amount, percent, ratio
from backtest.portfolio import PortfolioResult

_TRADES_SHOWN = 3_000


def html(result: PortfolioResult, report: dict[str, Any]) -> str:
    """The page of a backtest; `report` is `backtest.report.build`'s object."""
    symbols = ", ".join(dict.fromkeys(o.job.name for o in result.outcomes))
    title = f"{report['strategy']} on {symbols}"
    body = "\n".join(
        [
            _head(report, title),
            _heroes(result.figures, report["currency"]),
            *(f'<p class="verdict warning">{escape(text)}</p>' for text in report["warnings"]),
            f'<p class="verdict">{escape(summary(result.figures, report["currency"]))}</p>',
            _plots(result),
            f'<h2>Figures</h2><div class="columns">{tables.figures(result, report)}</div>',
            f"<h2>Month by month</h2>{tables.months(report['monthly'])}",
            _accounts(report),
            _trades(report),
            _notes(result, report),
        ]
    )
    style = resources.files("backtest").joinpath("report.css").read_text(encoding="utf-8")
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        f"<title>Backtest: {escape(title)}</title>\n<style>\n{style}</style></head>\n"
        f"<body><main>\n{body}\n</main></body></html>\n"
    )


def summary(figures: Figures, currency: str) -> str:
    """What the figures come to, in sentences that promise nothing."""
    if not figures.trades:
        return "No position was opened, so there is nothing to judge."
    costs = -(figures.commission + figures.swap + figures.spread_and_slippage)
    outcome = "earned" if figures.net_profit >= 0 else "lost"
    sentence = (
        f"After costs these trades {outcome} {amount(abs(figures.net_profit))} {currency} on a"
        f" deposit of {amount(figures.deposit)}; spread, slippage, commission and swap took"
        f" {amount(costs)}, so before costs it was {amount(figures.net_profit + costs)}."
    )
    if figures.deflated_sharpe is None:
        return f"{sentence} Too few returns vary to judge whether that was luck."
    trials = "one trial" if figures.trials == 1 else f"{figures.trials:,} trials"
    chance = percent(figures.deflated_sharpe)
    if figures.sharpe is not None and figures.sharpe < 0:
        return f"{sentence} The Sharpe ratio is negative; there is nothing to deflate."
    return (
        f"{sentence} Counting {trials}, the chance that its Sharpe ratio is above what luck gives"
        f" is {chance}" + (", which is not evidence." if figures.deflated_sharpe < 0.95 else ".")
    )


def _head(report: dict[str, Any], title: str) -> str:
    model = f" · model <code>{escape(report['model'][:12])}</code>" if report["model"] else ""
    return (
        f'<header><p class="eyebrow">Tickhouse backtest</p><h1>{escape(title)}</h1>'
        f"<p>{report['from'][:19]} to {report['to'][:19]} UTC · {report['ticks']:,} ticks{model}"
        f" · <code>{escape(report['run_id'])}</code></p></header>"
    )


def _heroes(figures: Figures, currency: str) -> str:
    won = figures.long.won + figures.short.won
    rate = percent(won / figures.trades) if figures.trades else amount(None)
    colour = "good" if figures.net_profit > 0 else "bad" if figures.net_profit < 0 else ""
    drawdown = figures.equity_drawdown
    cards: Iterable[tuple[str, str, str, str]] = (
        ("Net profit", amount(figures.net_profit), f"{currency} after all costs", colour),
        ("Profit factor", ratio(figures.profit_factor), "gross profit over gross loss", ""),
        ("Sharpe ratio", ratio(figures.sharpe),
         f"yearly, of {figures.returns} {figures.returns_of}s", ""),
        ("Greatest drawdown", amount(drawdown.maximal),
         f"of equity, {percent(drawdown.maximal_share)}", ""),
        ("Trades", f"{figures.trades:,}", f"{rate} won", ""),
    )  # fmt: skip
    return '<div class="heroes">' + "".join(
        f'<div class="hero"><span>{name}</span><b class="{colour}">{value}</b>'
        f"<small>{note}</small></div>"
        for name, value, note, colour in cards
    ) + "</div>"  # fmt: skip


def _plots(result: PortfolioResult) -> str:
    deposit, span = result.figures.deposit, result.span_us
    if not result.trades:
        return ""
    return (
        "<h2>Equity</h2>"
        + _figure(
            f"{_key('accent')}Equity {_key('balance')}Balance",
            plots.equity(result.curve, deposit, span),
        )
        + _figure("Drawdown of equity", plots.drawdown(result.curve, deposit, span))
        + '<div class="pair">'
        + _figure("Net profit by hour of entry", plots.by_hour(result.trades))
        + _figure("Net profit by weekday of entry", plots.by_weekday(result.trades))
        + '</div><div class="pair">'
        + _figure(
            f"Every trade at its {_key('good')}best and {_key('bad')}worst",
            plots.excursions(result.trades),
        )
        + f"<div>{tables.causes(result.trades)}</div></div>"
    )


def _key(colour: str) -> str:
    return f'<i style="background:var(--{colour})"></i>'


def _figure(caption: str, svg: str) -> str:
    return f"<figure><figcaption>{caption}</figcaption>{svg}</figure>"


def _accounts(report: dict[str, Any]) -> str:
    if len(report["accounts"]) < 2:
        return ""
    return f"<h2>Account by account</h2>{tables.accounts(report['accounts'])}"


def _trades(report: dict[str, Any]) -> str:
    shown: Sequence[dict[str, Any]] = report["trades"][:_TRADES_SHOWN]
    if not shown:
        return ""
    left = len(report["trades"]) - len(shown)
    more = f'<p class="soft">{left:,} more are in report.json.</p>' if left else ""
    return f'<h2>Trades</h2><div class="scroll">{tables.trades(shown)}</div>{more}'


def _notes(result: PortfolioResult, report: dict[str, Any]) -> str:
    several = (
        "Each account has the whole deposit for itself; here their profits are added to one"
        " deposit, and drawdowns are taken where the added curve has a point."
        if len(result.outcomes) > 1
        else "Drawdowns are taken at every tick."
    )
    lines = [
        "Orders fill at the first quote after a modelled latency, on the side that costs, with"
        " modelled slippage; a stop fills at the quote that crossed it. Volume never moves the"
        " price, and there is always someone to trade with.",
        several,
        "Ratios are yearly, of equity's returns per trading day (17:00 New York), or per hour"
        " when there are fewer than five days. Few returns make ratios that say little.",
        f"The deflated Sharpe ratio counts {report['figures']['trials']:,} trial(s), as told by"
        " --trials: Bailey and Lopez de Prado, 2014.",
        "A past result says nothing certain about a later one.",
        *(f"Input {escape(p)}, SHA-256 {d[:16]}…" for p, d in report["inputs"].items()),
    ]
    items = "".join(f"<li>{line}</li>" for line in lines)
    return f'<h2>How to read this</h2><ul class="notes">{items}</ul>'
