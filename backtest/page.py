"""The report as one HTML file that loads nothing: no script, no font, no picture from elsewhere.

Names of symbols, strategies and files come from people: Jinja escapes everything but our plots.
"""

from importlib import resources
from typing import Any, NamedTuple

from jinja2 import Environment, StrictUndefined, Template

from backtest import firm
from backtest import page_tables as tables
from backtest.metrics import Figures
from backtest.page_tables import amount, percent, ratio
from backtest.portfolio import PortfolioResult
from charts import backtest_page as plots
from charts.candles import candles

_TRADES_SHOWN = 3_000
_FEEDS_SHOWN = 8


class Hero(NamedTuple):
    """A figure that is seen first."""

    name: str
    value: str
    note: str
    colour: str


def html(result: PortfolioResult, report: dict[str, Any]) -> str:
    """The page of a backtest; `report` is `backtest.report.build`'s object."""
    symbols = ", ".join(dict.fromkeys(o.job.name for o in result.outcomes))
    trades = report["trades"]
    return _template().render(
        title=f"{report['strategy']} on {symbols}",
        style=_beside("report.css"),
        report=report,
        heroes=_heroes(result.figures, report["currency"]),
        summary=summary(result.figures, report["currency"]),
        plots=_plots(result),
        candles=_candles(result),
        candles_left=max(sum(len(o.candles) for o in result.outcomes) - _FEEDS_SHOWN, 0),
        mt5=report.get("mt5", []),
        causes=tables.causes(result.trades),
        earned=tables.earned(result.trades),
        figures=tables.figures(result, report),
        firm=firm.table(report["firm"]),
        month_names=tables.MONTHS,
        months=tables.months(report["monthly"]),
        trades=trades[:_TRADES_SHOWN],
        trades_left=max(len(trades) - _TRADES_SHOWN, 0),
        notes=_notes(result, report),
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


def _template() -> Template:
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {"amount": amount, "thousands": lambda value: f"{value:,}"}
    return environment.from_string(_beside("page.html"))


def _beside(name: str) -> str:
    return resources.files("backtest").joinpath(name).read_text(encoding="utf-8")


def _heroes(figures: Figures, currency: str) -> list[Hero]:
    won = figures.long.won + figures.short.won
    rate = percent(won / figures.trades) if figures.trades else amount(None)
    colour = "good" if figures.net_profit > 0 else "bad" if figures.net_profit < 0 else ""
    drawdown = figures.equity_drawdown
    return [
        Hero("Net profit", amount(figures.net_profit), f"{currency} after all costs", colour),
        Hero("Profit factor", ratio(figures.profit_factor), "gross profit over gross loss", ""),
        Hero("Sharpe ratio", ratio(figures.sharpe),
         f"yearly, of {figures.returns} {figures.returns_of}s", ""),
        Hero("Greatest drawdown", amount(drawdown.maximal),
         f"of equity, {percent(drawdown.maximal_share)}", ""),
        Hero("Trades", f"{figures.trades:,}", f"{rate} won", ""),
    ]  # fmt: skip


def _plots(result: PortfolioResult) -> dict[str, str]:
    """SVG by name; none without a trade."""
    if not result.trades:
        return {}
    deposit, span = result.figures.deposit, result.span_us
    return {
        "equity": plots.equity(result.curve, deposit, span),
        "drawdown": plots.drawdown(result.curve, deposit, span),
        "by_hour": plots.by_hour(result.trades),
        "by_weekday": plots.by_weekday(result.trades),
        "excursions": plots.excursions(result.trades),
    }


def _candles(result: PortfolioResult) -> list[tuple[str, str]]:
    """Caption and SVG of each traded feed, with its trades; none without a trade."""
    drawn = []
    for outcome in result.outcomes if result.trades else ():
        for bars in outcome.candles:
            own = [t for t in outcome.trades if (t.source, t.symbol) == bars.feed]
            name = f"{bars.feed[1]} {bars.feed[0]}"
            drawn.append(
                (
                    f"{outcome.job.name}: {name}" if len(outcome.candles) > 1 else outcome.job.name,
                    candles(bars, own, f"{outcome.job.name} {name}"),
                )
            )
            if len(drawn) == _FEEDS_SHOWN:
                return drawn
    return drawn


def _notes(result: PortfolioResult, report: dict[str, Any]) -> list[str]:
    several = (
        "Each account has the whole deposit for itself; here their profits are added to one"
        " deposit, and drawdowns are taken where the added curve has a point."
        if len(result.outcomes) > 1
        else "Drawdowns are taken at every tick."
    )
    return [
        "Orders fill at the first quote after a modelled latency, on the side that costs, with"
        " modelled slippage; a stop fills at the quote that crossed it. Volume never moves the"
        " price, and there is always someone to trade with.",
        several,
        "Ratios are yearly, of equity's returns per trading day (17:00 New York), or per hour"
        " when there are fewer than five days. Few returns make ratios that say little.",
        f"The deflated Sharpe ratio counts {report['figures']['trials']:,} trial(s), as told by"
        " --trials: Bailey and Lopez de Prado, 2014.",
        "A past result says nothing certain about a later one.",
        *(f"Input {p}, SHA-256 {d[:16]}…" for p, d in report["inputs"].items()),
    ]
