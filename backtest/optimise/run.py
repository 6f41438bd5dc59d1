"""An optimisation from ticks to verdict: shared market, trials, walk-forward, one real backtest.

What is best of many is lucky too. So the result is three things beside it: what the choice of each
fold did afterwards, how likely the best ratio is beyond luck's best, and how often the best of one
half of the span was below the middle of all trials in the other.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from msgspec.structs import replace

from backtest import sharpe
from backtest.job import Job, JobOutcome
from backtest.optimise.overfitting import Overfitting, overfitting
from backtest.optimise.periods import Floats, Part, Periods, periods_of, returns, within
from backtest.optimise.search import Search, Trial, Values, has_ratio
from backtest.optimise.shared import SharedMarket
from backtest.optimise.trial import Evaluator, needs_execution
from core.errors import InputError, SettingsError
from execution.risk.limits import LimitsBook
from strategies.parameters import Parameter, written

_GRID = 12
_FIELDS = (
    "side", "volume", "opened_us", "price", "closed_us", "exit_price", "cause", "profit",
    "commission", "swap",
)  # fmt: skip

RealRun = Callable[[Sequence[Job]], list[JobOutcome]]


class Fold(NamedTuple):
    """What one fold chose on everything before its part, and what that did in it.

    `trained`, `tested`: Sharpe ratios per period; None where fewer than five trades were made.
    """

    tested_on: Part
    values: Values
    trained: float | None
    tested: float | None
    trades: int
    net: float


class Heatmap(NamedTuple):
    """Yearly Sharpe ratios over two parameters, the others as the winner has them; NaN: few trades.

    `ratios` (len(second values), len(first values)).
    """

    first: Parameter
    second: Parameter
    first_values: list[float]
    second_values: list[float]
    ratios: Floats


class Optimised(NamedTuple):
    """All that is known. Ratios are per period; `periods.per_year` makes them yearly."""

    parameters: tuple[Parameter, ...]
    periods: Periods
    trials: list[Trial]
    winner: Trial
    shipped: Trial  # with the defaults
    ratio: float | None
    shipped_ratio: float | None
    folds: list[Fold]
    out_of_sample: Floats  # returns of the tested parts, one after another
    deflated: float | None
    overfitting: Overfitting | None
    heatmap: Heatmap | None
    real: list[JobOutcome]  # the winner's own backtest
    differing: int  # trades in which it and the trial differ
    executed: bool = False  # each trial ran through execution itself, limits and all


class Plan(NamedTuple):
    """How much is tried."""

    trials: int
    folds: int


def optimise(
    jobs: Sequence[Job], parameters: Sequence[Parameter], limits: LimitsBook, plan: Plan,
    real: RealRun, progress: Callable[[str, int], None],
) -> Optimised:  # fmt: skip
    """Look for parameters of the jobs' strategy, and judge the search.

    Args:
        jobs: as a backtest would run them: one account per feed.
        limits: those that the jobs are under.
        real: runs jobs; the winner's.
        progress: called with a stage and how many distinct trials there were.

    Raises:
        SettingsError: the strategy declares nothing to turn, or needs a model.
        InputError: too short a span for so many folds.
    """
    settings = jobs[0].settings
    if not parameters:
        raise SettingsError(
            f"strategy {jobs[0].strategies.strategies[0].use!r} declares no parameters: there is"
            " nothing to turn (docs/how-to/optimise-a-strategy.md)"
        )
    progress("features", 0)
    markets = [SharedMarket(job, keeps_slices=needs_execution(job, limits)) for job in jobs]
    periods = periods_of(markets)
    if len(periods.starts_us) < 8 * (plan.folds + 1):
        raise InputError(
            ", ".join(job.name for job in jobs),
            f"{len(periods.starts_us)} {periods.unit}s of ticks are too few for {plan.folds}"
            " folds: take a longer span, or fewer --folds",
        )
    search = Search(
        Evaluator(markets, jobs[0], limits, jobs[0].frictions), parameters, periods,
        settings.terminal.balance, lambda count: progress("trials", count),
    )  # fmt: skip
    folds = _folds(search, periods, plan, settings.terminal.balance)
    winner = search.best(periods.whole, _share(plan), plan.folds)
    progress("winner", len(search.trials))
    outcomes = real(_with(jobs, winner.values))
    deposit = settings.terminal.balance
    result = _judged(search, periods, folds, winner, outcomes, parameters, deposit)
    return result._replace(executed=any(market.slices for market in markets))


def _share(plan: Plan) -> int:
    return max(plan.trials // (plan.folds + 1), 2)


def _folds(search: Search, periods: Periods, plan: Plan, deposit: float) -> list[Fold]:
    parts, folds = periods.parts(plan.folds + 1), []
    for number, part in enumerate(parts[1:]):
        before = Part(0, part.begin)
        best = search.best(before, _share(plan), number)
        own = within(best.book, periods, part)
        folds.append(
            Fold(
                part, best.values, _known(search.ratio(best, before)),
                _known(search.ratio(best, part)), len(own.net), float(own.net.sum()),
            )
        )  # fmt: skip
    return folds


def _known(ratio: float) -> float | None:
    return ratio if has_ratio(ratio) else None


def _judged(
    search: Search, periods: Periods, folds: list[Fold], winner: Trial,
    outcomes: list[JobOutcome], parameters: Sequence[Parameter], deposit: float,
) -> Optimised:  # fmt: skip
    trials, whole = search.trials, periods.whole
    matrix = np.column_stack([returns(t.book, periods, whole, deposit) for t in trials])
    own = returns(winner.book, periods, whole, deposit)
    tested = [
        returns(search.trial(fold.values).book, periods, fold.tested_on, deposit) for fold in folds
    ]
    shipped = search.trial({p.name: p.default for p in parameters})
    return Optimised(
        parameters=tuple(parameters), periods=periods, trials=trials, winner=winner,
        shipped=shipped, ratio=_known(search.ratio(winner, whole)),
        shipped_ratio=_known(search.ratio(shipped, whole)), folds=folds,
        out_of_sample=np.concatenate(tested), deflated=sharpe.deflated(own, len(trials)),
        overfitting=overfitting(matrix), heatmap=_heatmap(search, periods, winner, parameters),
        real=outcomes, differing=_differing(search, winner, outcomes),
    )  # fmt: skip


def _with(jobs: Sequence[Job], values: Values) -> list[Job]:
    def one(job: Job) -> Job:
        signals = replace(job.settings.signals, parameters=written(values))
        return replace(job, settings=replace(job.settings, signals=signals))

    return [one(job) for job in jobs]


def _differing(search: Search, winner: Trial, outcomes: Sequence[JobOutcome]) -> int:
    """Trades that only one of the two has, to the last bit."""
    real = Counter(
        (t.source, t.symbol, *(getattr(t, name) for name in _FIELDS))
        for outcome in outcomes
        for t in outcome.trades
    )
    fast = Counter((*feed, *trade) for feed, trade in search.fast_trades(winner.values))
    return sum((real - fast).values()) + sum((fast - real).values())


def _heatmap(
    search: Search, periods: Periods, winner: Trial, parameters: Sequence[Parameter]
) -> Heatmap | None:
    """Over the two parameters that matter most. Nobody chooses from it, so it is no trial."""
    if len(parameters) < 2:
        return None
    order = sorted(parameters, key=lambda p: -_weight(search, periods, p))
    first, second = order[:2]
    columns, rows = _steps(first), _steps(second)
    ratios = np.full((len(rows), len(columns)), np.nan)
    for r, high in enumerate(rows):
        for c, wide in enumerate(columns):
            values = {**winner.values, first.name: wide, second.name: high}
            ratio = _known(search.ratio(search.trial(values, counts=False), periods.whole))
            ratios[r, c] = np.nan if ratio is None else ratio * periods.per_year**0.5
    return Heatmap(first, second, columns, rows, ratios)


def _weight(search: Search, periods: Periods, parameter: Parameter) -> float:
    """How much mean ratios differ between quarters of a parameter's values."""
    known = [(t.values[parameter.name], search.ratio(t, periods.whole)) for t in search.trials]
    ratios = [ratio for _, ratio in sorted(known) if has_ratio(ratio)]
    if len(ratios) < 8:
        return 0.0
    return float(np.var([quarter.mean() for quarter in np.array_split(np.array(ratios), 4)]))


def _steps(parameter: Parameter) -> list[float]:
    space = np.geomspace if parameter.log else np.linspace
    values = space(parameter.low, parameter.high, _GRID)
    return [min(max(float(f"{v:.4g}"), parameter.low), parameter.high) for v in values]
