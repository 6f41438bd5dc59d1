"""Generated months of two feeds with something planted half-way, and figures backtested on them."""

import numpy as np

from risk import covariance as cov
from risk import value_at_risk as risk
from risk.exposure import Feed
from risk.minutes import Floats, History

A, B = ("x", "AAAUSD"), ("x", "BBBUSD")
FEEDS: tuple[Feed, ...] = (A, B)
HALF_LIFE, LEAST, WINDOW = 240.0, 60, 1440
DAYS, SIGMA = 20, 1e-4
PLANTS = ("quiet", "crash", "break", "regime")
LONG, HEDGED = np.array([1e6, 1e6]), np.array([1e6, -1e6])


def month(seed: int, plant: str = "quiet") -> Floats:
    """Minute returns of 20 days of two feeds, Student t with 5 degrees of freedom, shape (n, 2).

    `crash`: three days at six times the volatility. `break`: feeds that moved together
    (correlation 0.9) move against each other (-0.6). `regime`: four times the volatility for good.
    """
    rng = np.random.default_rng(seed)
    count, half = DAYS * 1440, DAYS * 720
    late = np.arange(count) >= half
    rho = np.where(late, -0.6, 0.9) if plant == "break" else np.full(count, 0.3)
    z = rng.standard_normal((count, 2))
    joint = np.column_stack([z[:, 0], rho * z[:, 0] + np.sqrt(1 - rho**2) * z[:, 1]])
    returns: Floats = joint * np.sqrt(3 / rng.chisquare(5, (count, 1))) * SIGMA
    if plant == "crash":
        returns[half : half + 3 * 1440] *= 6
    elif plant == "regime":
        returns[half:] *= 4
    return returns


def money(plant: str) -> Floats:
    """What is held in such a month, shape (2,): where the correlation breaks, a hedge."""
    return HEDGED if plant == "break" else LONG


def history(returns: Floats) -> History:
    """The mids that such returns lead to."""
    first = np.zeros((1, returns.shape[1]))
    return History(FEEDS, np.exp(np.concatenate([first, np.cumsum(returns, axis=0)])))


def ratios(
    returns: Floats,
    held: Floats,
    *,
    half_life: float = HALF_LIFE,
    frozen: bool = False,
    every: int = 120,
    confidence: float = 0.95,
) -> dict[str, Floats]:
    """By measure, the next hour's loss over the figure, each `every` minutes, shape (moments,).

    `frozen`: broken on purpose, the figures of the first day are never computed again.
    """
    losses, vars_ = [], []
    for now in range(WINDOW, len(returns) - 60, every):
        if not (frozen and vars_):
            figures = _figures(returns[now - WINDOW : now], held, half_life, confidence)
        vars_.append(figures)
        losses.append(-float(np.expm1(returns[now : now + 60].sum(axis=0)) @ held))
    return {m: np.array(losses) / [row[m] for row in vars_] for m in risk.MEASURES}


def _figures(
    returns: Floats, held: Floats, half_life: float, confidence: float
) -> dict[str, float]:
    past = history(returns)
    known = cov.estimate(past.returns, FEEDS, half_life=half_life, least=LEAST)
    scenario = risk.scenarios(past, known, half_life=half_life, least=LEAST)
    rows = risk.figures(dict(zip(FEEDS, held.tolist(), strict=True)), scenario)
    return {
        row.measure: row.tail.var
        for row in rows
        if (row.confidence, row.horizon) == (confidence, "1h")
    }
