"""Sharpe ratios, and what is left of one after luck: probabilistic and deflated.

Sources: W. F. Sharpe, "The Sharpe Ratio", J. Portfolio Management 21 (1994); F. A. Sortino and
R. van der Meer, "Downside Risk", J. Portfolio Management 17 (1991); D. H. Bailey and M. Lopez de
Prado, "The Sharpe Ratio Efficient Frontier", J. Risk 15 (2012), for the probabilistic ratio, and
"The Deflated Sharpe Ratio: Correcting for Selection Bias, Backtest Overfitting and
Non-Normality", J. Portfolio Management 40 (2014), for the deflated one.
"""

import math
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

_NORMAL = NormalDist()
_EULER = 0.5772156649015329


def sharpe(returns: Floats) -> float | None:
    """Mean over standard deviation (n - 1) of returns, per period; None without variation."""
    if len(returns) < 2:
        return None
    deviation = float(returns.std(ddof=1))
    return float(returns.mean()) / deviation if deviation > 1e-15 else None


def sortino(returns: Floats) -> float | None:
    """Mean over downside deviation below zero (root of the mean square over all periods)."""
    if len(returns) < 2:
        return None
    downside = math.sqrt(float((np.minimum(returns, 0.0) ** 2).mean()))
    return float(returns.mean()) / downside if downside > 1e-15 else None


def probabilistic(ratio: float, returns: Floats, against: float = 0.0) -> float | None:
    """Chance that the true ratio exceeds `against`, both per period, by the returns' moments."""
    deviation = float(returns.std())
    if len(returns) < 3 or deviation <= 1e-15:
        return None
    z = (returns - returns.mean()) / deviation
    return by_moments(ratio, len(returns), float((z**3).mean()), float((z**4).mean()), against)


def by_moments(
    ratio: float, count: int, skewness: float, kurtosis: float, against: float
) -> float | None:
    """The same from moments (2012, equation 11); `kurtosis` is 3 for a normal distribution.

    PSR = Phi((SR - SR*) sqrt(n - 1) / sqrt(1 - g3 SR + (g4 - 1) / 4 SR^2)). None when the
    moments leave no positive variance.
    """
    variance = 1.0 - skewness * ratio + (kurtosis - 1.0) / 4.0 * ratio * ratio
    if variance <= 0:
        return None
    return _NORMAL.cdf((ratio - against) * math.sqrt(count - 1) / math.sqrt(variance))


def interval(returns: Floats) -> tuple[float, float] | None:
    """95 % interval of the ratio per period, by the standard error that `by_moments` divides by.

    SR +- 1.96 sqrt((1 - g3 SR + (g4 - 1) / 4 SR^2) / (n - 1)): independent returns are assumed,
    and of few the interval is itself a guess. None where there is no ratio, or no variance.
    """
    ratio, deviation = sharpe(returns), float(returns.std()) if len(returns) else 0.0
    if ratio is None or deviation <= 1e-15:
        return None
    z = (returns - returns.mean()) / deviation
    skewness, kurtosis = float((z**3).mean()), float((z**4).mean())
    variance = 1.0 - skewness * ratio + (kurtosis - 1.0) / 4.0 * ratio * ratio
    if variance <= 0:
        return None
    reach = _NORMAL.inv_cdf(0.975) * math.sqrt(variance / (len(returns) - 1))
    return ratio - reach, ratio + reach


def expected_best(trials: int, variance: float) -> float:
    """Greatest ratio to expect of so many trials without skill (2014, equation 1).

    SR0 = sqrt(V) ((1 - g) Phi^-1(1 - 1/N) + g Phi^-1(1 - 1/(N e))), g the Euler-Mascheroni
    constant, V the variance of the ratios across trials.
    """
    if trials < 2:
        return 0.0
    first = _NORMAL.inv_cdf(1.0 - 1.0 / trials)
    second = _NORMAL.inv_cdf(1.0 - 1.0 / (trials * math.e))
    return math.sqrt(variance) * ((1.0 - _EULER) * first + _EULER * second)


def deflated(returns: Floats, trials: int, variance: float | None = None) -> float | None:
    """Chance that the ratio is above what the best of `trials` without skill would show.

    Args:
        trials: strategies or settings tried before this one was chosen, itself included.
        variance: of their ratios per period; None takes 1 / (n - 1), the variance that the
            estimate itself has when the true ratio is zero.
    """
    ratio = sharpe(returns)
    if ratio is None:
        return None
    spread = 1.0 / (len(returns) - 1) if variance is None else variance
    return probabilistic(ratio, returns, expected_best(trials, spread))
