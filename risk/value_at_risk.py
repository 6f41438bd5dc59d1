"""Value at risk and expected shortfall: four measures of the same money.

Every measure is of exposures (account currency, signed) over returns of a minute, brought to its
horizon by the square root of time (RiskMetrics Technical Document, 1996, section 5.2.1; Basel
Framework MAR33.5 scales so too). Figures are losses: positive where money is lost. Value at risk
is the smallest loss that is exceeded with a probability of at most 1 - confidence; expected
shortfall is the mean of the worst 1 - confidence, with a part of the loss at the edge where that
is no whole number of scenarios (Acerbi and Tasche, "On the coherence of expected shortfall",
Journal of Banking & Finance 26, 2002).

- `parametric`: normal, of the shrunk covariance (RiskMetrics).
- `historical`: every minute of the window as it was, equally likely.
- `filtered`: each minute in units of its own volatility, at today's (Hull and White,
  "Incorporating volatility updating into the historical simulation method", Journal of Risk 1,
  1998; Barone-Adesi, Giannopoulos and Vosper, Journal of Futures Markets 19, 1999).
- `monte_carlo`: multivariate Student t with 5 degrees of freedom at the shrunk covariance
  (Glasserman, Monte Carlo Methods in Financial Engineering, 2004, section 9.3), the same draws
  each time.

A position whose feed is unknown (too little history, or never moved) is not left out: its loss at
the largest volatility of any known feed, all against us, is added to every figure.
"""

import math
from collections.abc import Mapping
from functools import lru_cache
from itertools import product
from statistics import NormalDist
from typing import NamedTuple

import numpy as np

from risk.covariance import Covariance, volatility_path
from risk.exposure import Feed
from risk.minutes import Floats, History

MEASURES = ("historical", "filtered", "parametric", "monte_carlo")
CONFIDENCES = (0.95, 0.99)
HORIZONS = {"1h": 60, "1d": 1440}  # minutes
DRAWS = 4000
FREEDOM = 5  # degrees of the Student t
_SEED = 20  # of the draws: the ADR's number, and never another
_NORMAL = NormalDist()


class Tail(NamedTuple):
    """Of a loss, account currency."""

    var: float
    es: float


class Figure(NamedTuple):
    """One measure at one confidence and horizon."""

    measure: str
    confidence: float
    horizon: str
    tail: Tail


class Scenarios(NamedTuple):
    """Minute returns to revalue with, shares of price; columns as in the covariance's `known`."""

    covariance: Covariance
    historical: Floats  # (n, k), NaN where a feed has none
    filtered: Floats  # the same at today's volatility
    monte_carlo: Floats  # (draws, k)


def scenarios(
    history: History, covariance: Covariance, *, half_life: float, least: int
) -> Scenarios:
    """What follows from a history: to be computed when a minute has ended.

    Args:
        history: of which `covariance` was estimated.
        covariance: of minutes.
        half_life: minutes, of the volatility that filters.
        least: returns that start that volatility.
    """
    columns = [history.feeds.index(feed) for feed in covariance.known]
    returns = history.returns[:, columns] if len(history.mids) > 1 else np.zeros((0, len(columns)))
    path = volatility_path(returns, half_life, least)
    calm = np.where(path > 0, path, np.inf)
    drawn = student(DRAWS, len(columns)) @ _root(covariance).T
    filtered = returns / calm * covariance.sigma
    return Scenarios(covariance, np.expm1(returns), np.expm1(filtered), np.expm1(drawn))


def _root(covariance: Covariance) -> Floats:
    if not covariance.known:
        return np.zeros((0, 0))
    factor = np.asarray(np.linalg.cholesky(covariance.correlation), np.float64)
    return covariance.sigma[:, None] * factor


@lru_cache(maxsize=8)
def student(draws: int, columns: int) -> Floats:
    """Independent draws of variance 1, shape (draws, columns): each column and its mirror image.

    A row shares its mixing variable, so that extremes come together.
    """
    generator = np.random.Generator(np.random.PCG64(_SEED))
    half = generator.standard_normal((draws // 2, columns))
    mixing = np.sqrt((FREEDOM - 2) / generator.chisquare(FREEDOM, (draws // 2, 1)))
    return np.concatenate([half * mixing, -half * mixing])


def figures(
    exposures: Mapping[Feed, float], market: Scenarios, carry: dict[str, float] | None = None
) -> list[Figure]:
    """All measures, confidences and horizons of what is held.

    Args:
        exposures: by feed, account currency, positive where a rise gains.
        market: scenarios at the moment.
        carry: certain cost over each horizon, account currency: swap.

    Raises:
        ValueError: something is held, and no feed at all has a history to measure it by.
    """
    money, unknown = _split(exposures, market.covariance)
    revalued = {
        "historical": empirical(-_revalued(market.historical, money)),
        "filtered": empirical(-_revalued(market.filtered, money)),
        "monte_carlo": empirical(-_revalued(market.monte_carlo, money)),
    }
    minute = max(float(money @ market.covariance.matrix @ money), 0.0) ** 0.5
    rows = []
    for measure, confidence in product(MEASURES, CONFIDENCES):
        tails = revalued.get(measure)
        tail = tails[confidence] if tails else normal(minute, confidence)
        alone = normal(unknown, confidence)
        for horizon, minutes in HORIZONS.items():
            root, cost = minutes**0.5, (carry or {}).get(horizon, 0.0)
            both = Tail((tail.var + alone.var) * root + cost, (tail.es + alone.es) * root + cost)
            rows.append(Figure(measure, confidence, horizon, both))
    return rows


def _split(exposures: Mapping[Feed, float], covariance: Covariance) -> tuple[Floats, float]:
    """Exposures in the order of the covariance, and the deviation of what is not in it."""
    money = np.array([exposures.get(feed, 0.0) for feed in covariance.known])
    rest = sum(abs(v) for feed, v in exposures.items() if feed not in covariance.known)
    if rest and not covariance.known:
        raise ValueError("no feed has enough history to measure any risk by")
    return money, rest * float(covariance.sigma.max(initial=0.0))


def deviation(exposures: Mapping[Feed, float], covariance: Covariance) -> float:
    """Of a minute's profit, account currency; what is unknown counts as in `figures`.

    Raises:
        ValueError: something is held, and no feed at all has a history to measure it by.
    """
    money, unknown = _split(exposures, covariance)
    variance = max(float(money @ covariance.matrix @ money), 0.0)
    return math.sqrt(variance) + unknown


def _revalued(returns: Floats, money: Floats) -> Floats:
    """Profit of each scenario in which all that is held has a return."""
    held = money != 0
    if not held.any():
        return np.zeros(1)
    whole = returns[:, held]
    there = np.isfinite(whole)
    if not there.all():
        whole = whole[there.all(axis=1)]
    # Laid out alike with and without gaps: the order of sums, and so the last bit, depends on it.
    profits: Floats = np.ascontiguousarray(whole) @ money[held]
    return profits


def normal(deviation: float, confidence: float) -> Tail:
    """Of a normal loss with mean zero: z s, and s phi(z) / (1 - confidence)."""
    quantile = _NORMAL.inv_cdf(confidence)
    return Tail(quantile * deviation, deviation * _NORMAL.pdf(quantile) / (1 - confidence))


def empirical(losses: Floats) -> dict[float, Tail]:
    """Of equally likely losses, shape (n,) with n > 0, at every confidence; sorted once for all."""
    shares = {confidence: round(len(losses) * (1 - confidence), 9) for confidence in CONFIDENCES}
    first = len(losses) - int(max(shares.values())) - 1
    worst = np.sort(np.partition(losses, first)[first:])[::-1]
    return {confidence: _tail(worst, share) for confidence, share in shares.items()}


def _tail(worst: Floats, share: float) -> Tail:
    """Of the worst losses, largest first; a part of one counts at the edge."""
    whole = int(share)
    edge = float(worst[whole])
    beyond = float(worst[:whole].sum()) + (share - whole) * edge
    return Tail(edge, beyond / share)


def contributions(exposures: Mapping[Feed, float], covariance: Covariance) -> dict[Feed, float]:
    """Share of each feed in the parametric variance; they sum to 1 (Euler allocation).

    Tasche, "Capital allocation to business units and sub-portfolios: the Euler principle", 2007.
    """
    money, _ = _split(exposures, covariance)
    each = money * (covariance.matrix @ money)
    total = float(each.sum())
    if total <= 0:
        return {}
    return {f: float(v) / total for f, v in zip(covariance.known, each, strict=True) if v}
