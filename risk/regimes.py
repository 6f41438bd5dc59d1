"""Which of few regimes a feed is in, known only from what came before: calm, normal or wild.

How far a feed's minutes move, over a quarter of an hour, is a level that stays for hours and then
is another. Bayesian online change point detection says after each quarter how long the present
level has lasted and what it is (R. P. Adams and D. J. C. MacKay, "Bayesian Online Changepoint
Detection", arXiv:0710.3742, 2007; logarithms of realised volatility are close to normal: Andersen,
Bollerslev, Diebold and Labys, "The distribution of realized exchange rate volatility", 2001). The
regime is the third of the feed's own past that the level lies in, left again only when the level
is clearly in another.

Nothing is fitted, so nothing is fitted on what was not known yet. A hidden Markov model of the same
levels changed its mind more often, and on two of three recordings named more quarters otherwise
after it was fitted on their other half; `benchmarks/bench_regimes.py` prints both.
"""

import math
from collections import deque
from typing import NamedTuple

import numpy as np

from risk.minutes import MINUTE_US, Floats

QUARTER_US = 15 * MINUTE_US
#: Of a quarter's fifteen minutes; with fewer the market was closed for most of it.
LEAST_MINUTES = 8
#: Levels of the past that the thirds are of: twenty days of quarters, at least two of them.
REMEMBERED, LEAST_LEVELS = 1_920, 192
NAMES = ("calm", "normal", "wild")
UNKNOWN = "unknown"
_HAZARD = 1 / 50  # one change in twelve and a half hours is expected before anything is seen
_LONGEST = 400  # runs kept apart: four days
_MARGIN = math.log(1.1)  # a level this far beyond a third's edge is in the other one
#: Of a run's level before it is seen: like one quarter, spread like the feed's past.
_STRENGTH, _SHAPE = 1.0, 2.0
_STRENGTHS = _STRENGTH + np.arange(_LONGEST + 1.0)
_SHAPES = _SHAPE + np.arange(_LONGEST + 1.0) / 2
#: Of Student's t with 2 * shape degrees of freedom, by which each run predicts the next level.
_CONSTANTS = np.array([math.lgamma(a + 0.5) - math.lgamma(a) for a in _SHAPES.tolist()])
_CONSTANTS -= 0.5 * np.log(2 * math.pi * _SHAPES)


class Regime(NamedTuple):
    """A feed's regime after a quarter of an hour.

    Attributes:
        ts_us: end of the quarter, market time.
        name: calm, normal or wild; unknown for the first two days.
        level_bp: what a minute moves in the present run, root mean square, basis points.
        lasted_min: expected age of the present run, minutes of trading.
        fresh: probability that the run began within the last two quarters.
    """

    ts_us: int
    name: str
    level_bp: float
    lasted_min: float
    fresh: float


class Runs:
    """What is believed of the present run of levels: how long it is, and where it lies."""

    def __init__(self) -> None:
        self._weight = np.ones(1)
        self._mean, self._spread = np.zeros(1), np.ones(1)
        self._known = False

    def take(self, level: float, prior_mean: float, prior_variance: float) -> None:
        """One more level; priors as of all levels before it."""
        if not self._known:
            self._mean, self._spread = np.array([prior_mean]), np.array([_SHAPE * prior_variance])
            self._known = True
        n = len(self._weight)
        strength, shape = _STRENGTHS[:n], _SHAPES[:n]
        away = level - self._mean
        scale = self._spread * (strength + 1) / (shape * strength)
        density = _CONSTANTS[:n] - 0.5 * np.log(scale)
        density -= (shape + 0.5) * np.log1p(away**2 / (2 * shape * scale))
        joint = self._weight * np.exp(density - density.max())  # far away all would be 0
        grown, new = joint * (1 - _HAZARD), joint.sum() * _HAZARD
        spread = self._spread + strength * away**2 / (2 * (strength + 1))
        mean = (strength * self._mean + level) / (strength + 1)
        self._mean = np.append(prior_mean, mean)[: _LONGEST + 1]
        self._spread = np.append(_SHAPE * prior_variance, spread)[: _LONGEST + 1]
        weight = np.append(new, grown)[: _LONGEST + 1]
        self._weight = weight / weight.sum()

    @property
    def level(self) -> float:
        """Expected level of the present run."""
        return float(self._weight @ self._mean)

    @property
    def lasted(self) -> float:
        """Expected number of levels in the present run."""
        return float(self._weight @ np.arange(len(self._weight)))

    @property
    def fresh(self) -> float:
        """Probability that the run holds at most two levels."""
        return float(self._weight[:3].sum())


class Regimes:
    """A fold over one feed's minutes: `minute` for each that was traded, in order."""

    def __init__(self) -> None:
        self._quarter, self._count, self._squares = -1, 0, 0.0
        self._mid, self._minute = 0.0, -1
        self._levels: deque[float] = deque(maxlen=REMEMBERED)
        self._runs, self._name = Runs(), UNKNOWN

    def minute(self, ts_us: int, mid: float) -> Regime | None:
        """The regime, when a quarter of an hour with enough minutes ended before this one.

        Args:
            ts_us: end of the minute, market time; not after one that came before changes nothing.
            mid: the feed's last mid in it, above 0.
        """
        number = ts_us // MINUTE_US
        if number <= self._minute or not 0.0 < mid < math.inf:
            return None
        quarter = (ts_us - 1) // QUARTER_US
        regime = self._close() if quarter != self._quarter else None
        self._quarter = quarter
        if number == self._minute + 1:  # over a gap nobody knows when it moved
            self._squares += math.log(mid / self._mid) ** 2
            self._count += 1
        self._minute, self._mid = number, mid
        return regime

    def _close(self) -> Regime | None:
        count, squares, self._count, self._squares = self._count, self._squares, 0, 0.0
        if count < LEAST_MINUTES or squares <= 0.0:
            return None
        level = 0.5 * math.log(squares / count)
        past = np.array(self._levels)
        variance = float(past.var()) if len(past) > 1 else 0.0
        if variance > 0:
            self._runs.take(level, float(past.mean()), variance)
            if len(past) >= LEAST_LEVELS:
                self._name = _name(self._runs.level, past, self._name)
        self._levels.append(level)
        return Regime(
            ts_us=(self._quarter + 1) * QUARTER_US,
            name=self._name,
            level_bp=math.exp(self._runs.level if len(past) > 1 else level) * 1e4,
            lasted_min=self._runs.lasted * 15,
            fresh=self._runs.fresh,
        )


def _name(level: float, past: Floats, before: str) -> str:
    """The third of the past that a level lies in; the one before while it is only just beyond."""
    low, high = np.quantile(past, (1 / 3, 2 / 3))
    edges = {
        "calm": (-math.inf, low + _MARGIN),
        "normal": (low - _MARGIN, high + _MARGIN),
        "wild": (high - _MARGIN, math.inf),
    }
    if before in edges and edges[before][0] <= level <= edges[before][1]:
        return before
    return NAMES[int(level > low) + int(level > high)]
