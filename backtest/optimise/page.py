"""An optimisation as one HTML file that loads nothing, in the clothes of a backtest's page."""

from importlib import resources
from typing import Any

from jinja2 import Environment, StrictUndefined

from backtest.optimise.run import Optimised
from backtest.page import Hero
from backtest.page_tables import amount, percent, ratio
from charts.parameter_map import parameter_map


def html(result: Optimised, report: dict[str, Any]) -> str:
    """The page; `report` is `backtest.optimise.report.build`'s object."""
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {
        "amount": amount, "ratio": ratio, "thousands": lambda value: f"{value:,}"
    }  # fmt: skip
    template = environment.from_string(_text("backtest.optimise", "page.html"))
    return template.render(
        style=_text("backtest", "report.css"), report=report, heroes=_heroes(report),
        map=_map(result), notes=_notes(report),
    )  # fmt: skip


def _text(package: str, name: str) -> str:
    return resources.files(package).joinpath(name).read_text(encoding="utf-8")


def _heroes(report: dict[str, Any]) -> list[Hero]:
    out, over, real = report["out_of_sample"], report["overfitting"], report["backtest"]
    colour = "good" if out["net"] > 0 else "bad" if out["net"] < 0 else ""
    interval = f"{ratio(out['sharpe_low'])} to {ratio(out['sharpe_high'])} at 95 %"
    return [
        Hero("Net afterwards", amount(out["net"]), "judged where it was not chosen", colour),
        Hero("Sharpe afterwards", ratio(out["sharpe"]), interval, ""),
        Hero("Beyond luck's best", percent(report["deflated_sharpe"]), "deflated Sharpe ratio", ""),
        Hero("Overfitting", percent(over["probability"]) if over else "–",  # noqa: RUF001
             "probability, by CSCV", ""),
        Hero("Best in sample", amount(real["net_profit"]), f"{real['trades']:,} trades", ""),
    ]  # fmt: skip


def _map(result: Optimised) -> str:
    heat = result.heatmap
    if heat is None:
        return ""
    at = result.winner.values[heat.first.name], result.winner.values[heat.second.name]
    first = heat.first.name, heat.first_values
    return parameter_map(first, (heat.second.name, heat.second_values), heat.ratios, at)


def _notes(report: dict[str, Any]) -> list[str]:
    unit, count = report["returns"]["of"], report["returns"]["count"]
    differing = f"its trades differ in {report['backtest']['differing_trades']:,}."
    how = (
        "Feature rows were computed once; from its signals on a trial is a backtest, through"
        " execution itself with all its limits. Another ran for the best trial, and "
        if report["backtest"]["executed"]
        else "Feature rows and quotes were computed once; a trial decides anew and meets the"
        " simulated broker's own rules of latency, slippage, stops, swaps and commission. Limits on"
        " loss, margin and frequency are the real backtest's alone: it ran for the best trial, and "
    )
    return [
        how + differing,
        f"Ratios are yearly, of what trades booked in each of {count:,} {unit}s with ticks.",
        "Each fold's trials know nothing later than the part it is judged on; a trade that is open"
        " at the boundary counts on neither side (purged). Trials by Optuna's TPE.",
        "Deflated Sharpe ratio: Bailey and Lopez de Prado, 2014, against the best of so many trials"
        " without skill, each with the spread that an estimate from so few returns has by itself."
        " Probability of overfitting: Bailey, Borwein, Lopez de Prado and Zhu, 2017.",
        "A past result says nothing certain about a later one.",
        *(f"Input {path}, SHA-256 {digest[:16]}…" for path, digest in report["inputs"].items()),
    ]
