"""Whether a value at risk held: exceptions against their promised share.

- Kupiec, "Techniques for verifying the accuracy of risk measurement models", Journal of
  Derivatives 3, 1995: the share of exceptions (proportion of failures).
- Christoffersen, "Evaluating interval forecasts", International Economic Review 39, 1998: that
  they do not come in a row; and both together (conditional coverage).
- Basel Framework MAR99.9 (and MAR32.8): zones by the probability of so many exceptions
  or fewer under a right measure: green below 95 %, yellow below 99.99 %, red from there on.
"""

import itertools
import math
from collections.abc import Sequence
from typing import NamedTuple


class Coverage(NamedTuple):
    """How a measure did. p-values are probabilities of so much deviation of a right measure."""

    observations: int
    exceptions: int
    expected: float
    kupiec: float  # p-value, 1 degree of freedom
    independence: float  # p-value, 1 degree of freedom; 1 where nothing can be said
    conditional: float  # p-value of both, 2 degrees of freedom
    zone: str  # green, yellow, red

    def holds(self, level: float = 0.05) -> bool:
        """Neither too many, nor too few, nor in a row, at a level of significance."""
        return self.kupiec >= level and self.conditional >= level and self.zone != "red"


def coverage(exceptions: Sequence[bool], confidence: float) -> Coverage:
    """Test a series of outcomes, in order of time: True where the loss exceeded the figure.

    Raises:
        ValueError: no outcomes, or a confidence outside 0 to 1.
    """
    if not len(exceptions) or not 0 < confidence < 1:
        raise ValueError("coverage needs outcomes, and a confidence between 0 and 1")
    hits = [bool(hit) for hit in exceptions]
    count, failed, promised = len(hits), sum(hits), 1 - confidence
    kupiec = 2 * (
        _log_likelihood(failed, count, failed / count) - _log_likelihood(failed, count, promised)
    )
    independent = _independence(hits)
    return Coverage(
        count, failed, count * promised, _chi_1(kupiec), _chi_1(independent),
        math.exp(-max(kupiec + independent, 0.0) / 2), traffic_light(failed, count, promised),
    )  # fmt: skip


def _independence(hits: list[bool]) -> float:
    """Christoffersen's likelihood ratio of a first-order Markov chain against independence."""
    pairs = list(itertools.pairwise(hits))
    after_calm = [b for a, b in pairs if not a]
    after_hit = [b for a, b in pairs if a]
    if not after_hit or not after_calm:
        return 0.0
    each = sum(_log_likelihood(sum(g), len(g), sum(g) / len(g)) for g in (after_calm, after_hit))
    failed = sum(after_calm) + sum(after_hit)
    return 2 * (each - _log_likelihood(failed, len(pairs), failed / len(pairs)))


def _log_likelihood(failed: int, count: int, share: float) -> float:
    """Of a Bernoulli series; 0 log 0 is 0."""
    hit = failed * math.log(share) if failed else 0.0
    calm = (count - failed) * math.log1p(-share) if count > failed else 0.0
    return hit + calm


def _chi_1(ratio: float) -> float:
    """Upper tail of chi-squared with one degree of freedom."""
    return math.erfc(math.sqrt(max(ratio, 0.0) / 2))


def traffic_light(failed: int, count: int, promised: float) -> str:
    """Basel's zone of so many exceptions among so many outcomes; no more than promised is green."""
    if failed <= count * promised:
        return "green"
    cumulative = 0.0
    for k in range(failed + 1):
        log_term = (
            math.lgamma(count + 1) - math.lgamma(k + 1) - math.lgamma(count - k + 1)
            + k * math.log(promised) + (count - k) * math.log1p(-promised)
        )  # fmt: skip
        cumulative += math.exp(log_term)
    if cumulative < 0.95:
        return "green"
    return "yellow" if cumulative < 0.9999 else "red"
