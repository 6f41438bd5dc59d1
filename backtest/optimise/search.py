"""Trials by Optuna: one study a fold, each blind to what comes after it, and one over all.

Every study begins with what ships. A trial is computed once, over the whole span, and looked at
part by part: the same market and the same parameters give the same trades.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import optuna

from backtest import sharpe
from backtest.optimise.broker import FeedTrade
from backtest.optimise.periods import Ledger, Part, Periods, ledger, returns, within
from backtest.optimise.trial import Evaluator
from strategies.parameters import Parameter

_LEAST_TRADES = 5  # of fewer in a part no ratio says anything
_NO_RATIO = -1e3
_SEED = 7

Values = dict[str, float]
#: Called with the number of distinct trials so far.
Progress = Callable[[int], None]


class Trial(NamedTuple):
    """One set of parameters and what it traded."""

    values: Values
    book: Ledger


class Search:
    """All trials of one strategy. `trials` holds each distinct one, in the order they came."""

    def __init__(
        self, evaluator: Evaluator, parameters: Sequence[Parameter], periods: Periods,
        deposit: float, progress: Progress,
    ) -> None:  # fmt: skip
        self._evaluator, self._parameters = evaluator, parameters
        self._periods, self._deposit, self._progress = periods, deposit, progress
        self._known: dict[tuple[float, ...], Trial] = {}

    @property
    def trials(self) -> list[Trial]:
        """Every distinct one."""
        return list(self._known.values())

    def trial(self, values: Values, *, counts: bool = True) -> Trial:
        """What parameters trade. `counts`: it is one to choose from."""
        key = tuple(values.values())
        known = self._known.get(key)
        if known is None:
            known = Trial(values, ledger(self._evaluator.trades(values)))
            if counts:
                self._known[key] = known
                self._progress(len(self._known))
        return known

    def fast_trades(self, values: Values) -> list[FeedTrade]:
        """The trades themselves, which a trial keeps as sums only."""
        return self._evaluator.trades(values)

    def best(self, part: Part, trials: int, number: int) -> Trial:
        """The best of so many by Sharpe ratio of a part's own trades; `number` seeds its draws."""
        optuna.logging.set_verbosity(optuna.logging.CRITICAL)  # what fails is raised
        sampler = optuna.samplers.TPESampler(seed=_SEED + number)
        study = optuna.create_study(direction="maximize", sampler=sampler)
        study.enqueue_trial({p.name: p.default for p in self._parameters})
        study.optimize(lambda trial: self.ratio(self.trial(self._drawn(trial)), part), trials)
        return self.trial(self._rounded(study.best_params))

    def ratio(self, trial: Trial, part: Part) -> float:
        """Sharpe ratio per period of a part's own trades; far below any when they are few."""
        if len(within(trial.book, self._periods, part).net) < _LEAST_TRADES:
            return _NO_RATIO
        value = sharpe.sharpe(returns(trial.book, self._periods, part, self._deposit))
        return _NO_RATIO if value is None else value

    def _drawn(self, trial: Any) -> Values:
        drawn = {p.name: trial.suggest_float(p.name, p.low, p.high, log=p.log)
                 for p in self._parameters}  # fmt: skip
        return self._rounded(drawn)

    def _rounded(self, values: Values) -> Values:
        """To four digits, so that a person can write them down."""
        return {
            p.name: min(max(float(f"{values[p.name]:.4g}"), p.low), p.high)
            for p in self._parameters
        }


def has_ratio(value: float) -> bool:
    """Whether there were trades enough for one."""
    return value > _NO_RATIO
