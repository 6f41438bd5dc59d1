"""How feeds move together: exponentially weighted, shrunk, and always positive definite.

Weights fall by half every `half_life` minutes (RiskMetrics Technical Document, 4th edition, 1996,
section 5.2: mean zero, weight (1 - decay) decay^age). Correlations are shrunk towards zero by the
intensity that Schaefer and Strimmer derive from the data ("A Shrinkage Approach to Large-Scale
Covariance Matrix Estimation", Statistical Applications in Genetics and Molecular Biology 4(1),
2005, target D); with weights as in their R package corpcor.
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from risk.exposure import Feed
from risk.minutes import Floats

_LEAST_EIGENVALUE = 1e-8
#: Of exp2: what weights may differ by before sums of them lose digits.
_STEEPEST = 512.0


class Covariance(NamedTuple):
    """Of returns over a minute. `known`: feeds with enough history; others stand nowhere here."""

    known: tuple[Feed, ...]
    sigma: Floats  # (k,) volatility of a minute's return
    correlation: Floats  # (k, k) shrunk
    shrinkage: float  # from 0, the sample's, to 1, none left
    observations: int  # minutes that were looked at
    repaired: bool  # the estimate was not positive definite, see `nearest_correlation`
    unknown: tuple[Feed, ...] = ()  # too little history, or never moved

    @property
    def matrix(self) -> Floats:
        """Covariance, shape (k, k)."""
        return np.outer(self.sigma, self.sigma) * self.correlation


@lru_cache(maxsize=8)
def weights(count: int, half_life: float) -> Floats:
    """Of `count` observations, newest last; they sum to 1. Not to be written to."""
    age = np.arange(count - 1, -1, -1, dtype=np.float64)
    raw: Floats = np.exp2(-age / half_life)
    shares: Floats = raw / raw.sum()
    shares.flags.writeable = False
    return shares


@lru_cache(maxsize=8)
def _growth(count: int, half_life: float) -> Floats:
    """How much more each observation counts than the first, shape (count, 1)."""
    growth: Floats = np.exp2(np.arange(count) / half_life)[:, None]
    growth.flags.writeable = False
    return growth


def estimate(
    returns: Floats, feeds: tuple[Feed, ...], *, half_life: float, least: int
) -> Covariance:
    """Covariance of the feeds that have at least `least` returns and have moved.

    Args:
        returns: (n, feeds), newest last, NaN where a feed has none.
        feeds: name of each column.
        half_life: minutes.
        least: returns that a feed needs; fewer, or all zero, make it unknown.
    """
    there = np.isfinite(returns)
    filled = np.where(there, returns, 0.0)
    moved = (filled != 0).any(axis=0)
    known = (there.sum(axis=0) >= least) & moved if len(returns) else np.zeros(len(feeds), bool)
    names = tuple(f for f, k in zip(feeds, known, strict=True) if k)
    others = tuple(f for f, k in zip(feeds, known, strict=True) if not k)
    if not names:
        return Covariance((), np.zeros(0), np.zeros((0, 0)), 1.0, 0, False, others)
    values, mask = filled[:, known], there[:, known].astype(np.float64)
    w = weights(len(values), half_life)[:, None]
    sigma = np.sqrt((w * values**2).sum(axis=0) / (w * mask).sum(axis=0))
    correlation, intensity = _shrunk(values / sigma, mask, w)
    correlation, repaired = nearest_correlation(correlation)
    return Covariance(names, sigma, correlation, intensity, len(values), repaired, others)


def _shrunk(z: Floats, mask: Floats, w: Floats) -> tuple[Floats, float]:
    """Correlation of standardised returns, and how much of it was taken away."""
    seen = mask.T @ (w * mask)
    sample = z.T @ (w * z) / np.where(seen > 0, seen, 1.0)
    squares = (z**2).T @ (w * z**2) / np.where(seen > 0, seen, 1.0)
    np.fill_diagonal(sample, 1.0)
    effective = float((w**2).sum())
    spread = np.maximum(squares - sample**2, 0.0) * effective / max(1 - effective, 1e-12) ** 3
    off = ~np.eye(len(sample), dtype=bool)
    total = float((sample[off] ** 2).sum())
    intensity = float(np.clip(spread[off].sum() / total, 0.0, 1.0)) if total else 1.0
    shrunk = np.clip((1 - intensity) * sample, -1.0, 1.0)
    np.fill_diagonal(shrunk, 1.0)
    return (shrunk + shrunk.T) / 2, intensity


def nearest_correlation(matrix: Floats) -> tuple[Floats, bool]:
    """A correlation matrix as it is if it is positive definite, else one near it that is.

    Eigenvalues below 1e-8 are raised to it and the diagonal is scaled back to 1 (spectral
    decomposition of Rebonato and Jaeckel, "The most general methodology to create a valid
    correlation matrix", Journal of Risk 2(2), 1999). True when that was needed.

    Raises:
        ValueError: not square, not symmetric, or not finite.
    """
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or not np.isfinite(matrix).all():
        raise ValueError("a correlation matrix is square and holds finite numbers")
    if (np.abs(matrix - matrix.T) > 1e-9 + 1e-5 * np.abs(matrix)).any():
        raise ValueError("a correlation matrix is symmetric")
    values, vectors = np.linalg.eigh(matrix)
    if values.min(initial=1.0) >= _LEAST_EIGENVALUE:
        return matrix, False
    raised = (vectors * np.maximum(values, _LEAST_EIGENVALUE)) @ vectors.T
    scale = np.sqrt(np.diag(raised))
    return raised / np.outer(scale, scale), True


def volatility_path(returns: Floats, half_life: float, least: int) -> Floats:
    """Volatility of each minute's return as known before it; shape of `returns` (n, feeds).

    The recursion s2[t] = d s2[t-1] + (1 - d) r[t-1]^2 from the mean square of the first `least`
    returns of the feed (RiskMetrics 1996, equation 5.3), in closed form: weights are halved every
    `half_life` minutes, and a window holds too few of them for sums to lose digits.

    Raises:
        ValueError: the window is more than 512 half-lives.
    """
    count = len(returns)
    if count > _STEEPEST * half_life:
        raise ValueError(
            f"{count} minutes are more than {_STEEPEST:.0f} half-lives: weights vanish"
        )
    decay = np.exp2(-1.0 / half_life)
    there = np.isfinite(returns)
    squares = np.where(there, returns, 0.0) ** 2
    early = there & (np.cumsum(there, axis=0) <= least)
    start = (squares * early).sum(axis=0) / np.maximum(early.sum(axis=0), 1)
    # Where a feed has no return yet, its variance stays the one it starts with.
    squares = np.where(there, squares, start)
    growth = _growth(count, half_life)
    summed = np.cumsum(squares * growth, axis=0) - squares * growth
    variance = (1 - decay) * summed / (growth * decay) + start / growth
    path: Floats = np.sqrt(variance)
    return path
