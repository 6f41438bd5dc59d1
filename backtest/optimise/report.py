"""An optimisation as one object, and what it comes to in sentences that promise nothing."""

from typing import Any

import numpy as np

from backtest import sharpe
from backtest.optimise.run import Optimised
from backtest.page_tables import amount, percent
from backtest.portfolio import PortfolioResult
from strategies.parameters import written

_EVIDENCE = 0.95  # of the deflated ratio
_LUCK = 0.5  # of the probability of overfitting: from here the choice is no better than a coin


def build(result: Optimised, real: PortfolioResult, given: dict[str, Any]) -> dict[str, Any]:
    """The object; every value can be JSON. `given`: what the caller knows (strategy, inputs, ...).

    Args:
        real: the winner's own backtest.
    """
    root, periods = result.periods.per_year**0.5, result.periods
    over = result.overfitting
    return {
        **given,
        "from": periods.text(0),
        "to": periods.text(len(periods.starts_us)),
        "trials": len(result.trials),
        "parameters": [
            {**p._asdict(), "best": result.winner.values[p.name]} for p in result.parameters
        ],
        "setting": f'TICKHOUSE_SIGNALS__PARAMETERS="{written(result.winner.values)}"',
        "sharpe": _yearly(result.ratio, root),
        "shipped_sharpe": _yearly(result.shipped_ratio, root),
        "deflated_sharpe": result.deflated,
        "overfitting": over._asdict() if over else None,
        "out_of_sample": _out_of_sample(result, root, real.figures.deposit),
        "folds": [
            {
                "from": periods.text(fold.tested_on.begin), "to": periods.text(fold.tested_on.end),
                "parameters": written(fold.values), "trained": _yearly(fold.trained, root),
                "tested": _yearly(fold.tested, root), "trades": fold.trades,
                "net": round(fold.net, 2),
            }
            for fold in result.folds
        ],
        "map": _map(result),
        "backtest": {
            "net_profit": round(real.figures.net_profit, 2), "trades": real.figures.trades,
            "sharpe": real.figures.sharpe, "drawdown": real.figures.equity_drawdown.maximal,
            "differing_trades": result.differing, "executed": result.executed,
        },
        "returns": {"of": periods.unit, "count": len(periods.starts_us)},
        "verdict": verdict(result, real),
        "warnings": _warnings(result),
    }  # fmt: skip


def verdict(result: Optimised, real: PortfolioResult) -> list[str]:
    """What was reached, what it is worth, and what to do."""
    figures, out = real.figures, result.out_of_sample
    earned = "earned" if figures.net_profit >= 0 else "lost"
    reached = (
        f"The best of {len(result.trials):,} trials {earned} {amount(abs(figures.net_profit))} in"
        f" its own backtest, {figures.trades:,} trades with all costs. It was chosen because it did"
        " well here, so that says little."
    )
    net = float(out.sum()) * figures.deposit
    walked = (
        f"Chosen on what came before, and judged on what came after, it"
        f" {'earned' if net >= 0 else 'lost'} {amount(abs(net))} over"
        f" {len(result.folds)} parts."
    )
    return [reached, f"{walked} {_luck(result)}", _advice(doubts(result))]


def doubts(result: Optimised) -> list[str]:
    """Why its parameters are not worth trading; empty when nothing here says so."""
    reasons = []
    if float(result.out_of_sample.sum()) <= 0:
        reasons.append("what was chosen did not earn afterwards")
    if result.deflated is None or result.deflated < _EVIDENCE:
        reasons.append("its Sharpe ratio is not beyond what luck gives the best of so many")
    if result.overfitting is None or result.overfitting.probability >= _LUCK:
        reasons.append("choosing the best chose no better than a coin")
    if result.differing:
        reasons.append("its real backtest trades otherwise than the trial")
    return reasons


def _advice(reasons: list[str]) -> str:
    if reasons:
        return f"Do not trade these parameters: {'; '.join(reasons)}."
    return (
        "Nothing here speaks against these parameters. That is no promise: try them on ticks that"
        " no trial saw, then in a demo account."
    )


def _luck(result: Optimised) -> str:
    over = result.overfitting
    deflated = (
        f"The chance that its ratio is beyond luck's best is {percent(result.deflated)}."
        if result.deflated is not None
        else "Too few returns vary for a deflated Sharpe ratio."
    )
    if over is None:
        return f"{deflated} Too few periods or trials for a probability of overfitting."
    return (
        f"{deflated} The probability of overfitting is {percent(over.probability)}: so often the"
        f" best of one half of the span was below the middle of all {over.trials:,} trials in the"
        f" other ({over.splits:,} ways to halve it), and in {percent(over.loss)} it lost there."
    )


def _warnings(result: Optimised) -> list[str]:
    if not result.differing:
        return []
    return [
        f"{result.differing:,} trades of the winner's real backtest differ from the trial's: limits"
        " or margin stopped what a trial does not know of. Go by the backtest."
    ]


def _out_of_sample(result: Optimised, root: float, deposit: float) -> dict[str, Any]:
    out = result.out_of_sample
    limits = sharpe.interval(out)
    return {
        "net": round(float(out.sum()) * deposit, 2), "sharpe": _yearly(sharpe.sharpe(out), root),
        "sharpe_low": _yearly(limits[0], root) if limits else None,
        "sharpe_high": _yearly(limits[1], root) if limits else None, "returns": len(out),
    }  # fmt: skip


def _map(result: Optimised) -> dict[str, Any] | None:
    heat = result.heatmap
    if heat is None:
        return None
    cells = [[None if np.isnan(v) else round(float(v), 4) for v in row] for row in heat.ratios]
    return {
        "first": heat.first.name, "second": heat.second.name, "first_values": heat.first_values,
        "second_values": heat.second_values, "sharpe": cells,
    }  # fmt: skip


def _yearly(ratio: float | None, root: float) -> float | None:
    return None if ratio is None else ratio * root
