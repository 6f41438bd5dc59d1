"""May the challenger replace the champion? A rule proposes; a person decides.

Both predicted the same rows of the live stream. Neighbouring rows share most of their answers,
so a difference of two scores is judged by a bootstrap of whole blocks of market time, ten
horizons each, that keeps what is dependent together (Kuensch 1989).
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from models.monitoring.outcomes import Outcomes
from models.serving.card import CLASSES
from models.training.evaluate import BLOCK_HORIZONS

_DRAWS = 2_000
_SIGNIFICANT = 0.05

Floats = npt.NDArray[np.float64]


class Comparison(NamedTuple):
    """What was found on `rows` rows that both predicted.

    Attributes:
        brier_champion, brier_challenger: less is better.
        brier_p: chance of so large an advantage of the challenger if there were none.
        net_champion, net_challenger: sums over decisions, bp, after spread and slippage.
        net_p: as brier_p, for the money.
        decisions: positions the challenger would have opened.
        proposed: the rule's word. `reason`: why, or why not.
    """

    rows: int
    blocks: int
    brier_champion: float
    brier_challenger: float
    brier_p: float
    net_champion: float
    net_challenger: float
    net_p: float
    decisions: int
    proposed: bool
    reason: str


def compare(
    champion: Outcomes, challenger: Outcomes, horizon_us: int, min_decisions: int
) -> Comparison:
    """Compare on the rows that both predicted and whose answer is known."""
    ours, theirs = _common(champion, challenger)
    count = len(ours)
    if count == 0:
        nan = float("nan")
        reason = "no row was predicted by both"
        return Comparison(
            rows=0, blocks=0, brier_champion=nan, brier_challenger=nan, brier_p=1.0,
            net_champion=0.0, net_challenger=0.0, net_p=1.0, decisions=0, proposed=False,
            reason=reason,
        )  # fmt: skip
    squares = [_squares(o, at) for o, at in ((champion, ours), (challenger, theirs))]
    money = [np.nan_to_num(o.net_bp[at]) for o, at in ((champion, ours), (challenger, theirs))]
    block = champion.time_us[ours] // (BLOCK_HORIZONS * horizon_us)
    brier_p = chance(squares[0] - squares[1], block)
    net_p = chance(money[1] - money[0], block)
    decisions = int(np.isfinite(challenger.net_bp[theirs]).sum())
    comparison = Comparison(
        rows=count, blocks=len(np.unique(block)), brier_champion=float(squares[0].mean()),
        brier_challenger=float(squares[1].mean()), brier_p=brier_p,
        net_champion=float(money[0].sum()), net_challenger=float(money[1].sum()), net_p=net_p,
        decisions=decisions, proposed=False, reason="",
    )  # fmt: skip
    reason = _against(comparison, min_decisions)
    praise = (
        f"better Brier score (p = {brier_p:.3f}) and net P&L (p = {net_p:.3f}) over "
        f"{decisions} decisions in {comparison.blocks} blocks"
    )
    return comparison._replace(proposed=not reason, reason=reason or praise)


def chance(advantage: Floats, block: npt.NDArray[np.int64], draws: int = _DRAWS) -> float:
    """Share of resampled samples of blocks in which the advantage's sum is not above zero.

    The same rows give the same figure. 1 with fewer than two blocks: nothing can be said.
    """
    _, group = np.unique(block, return_inverse=True)
    sums = np.bincount(group, weights=advantage)
    if len(sums) < 2:
        return 1.0
    drawn = np.random.default_rng(7).integers(0, len(sums), (draws, len(sums)))
    return float((sums[drawn].sum(axis=1) <= 0).mean())


def _against(comparison: Comparison, min_decisions: int) -> str:
    """Why not; "" when nothing speaks against it."""
    if comparison.decisions < min_decisions:
        return (
            f"only {comparison.decisions} decisions of the challenger; {min_decisions} are needed"
        )
    if (
        comparison.brier_challenger >= comparison.brier_champion
        or comparison.brier_p > _SIGNIFICANT
    ):
        return f"its Brier score is not better beyond chance (p = {comparison.brier_p:.3f})"
    if comparison.net_challenger <= comparison.net_champion or comparison.net_p > _SIGNIFICANT:
        return f"its net P&L is not better beyond chance (p = {comparison.net_p:.3f})"
    return ""


def _squares(outcomes: Outcomes, at: npt.NDArray[np.int64]) -> Floats:
    truth = np.eye(len(CLASSES))[outcomes.label[at]]
    squares: Floats = ((outcomes.probabilities[at] - truth) ** 2).sum(axis=1)
    return squares


def _common(
    champion: Outcomes, challenger: Outcomes
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Places of the answered rows that both have. Both hold feeds and rows in the same order."""
    known = [np.flatnonzero(o.answered()) for o in (champion, challenger)]
    keys = [
        np.array([f"{f}.{t}" for f, t in zip(o.feed[at], o.time_us[at], strict=True)])
        for o, at in zip((champion, challenger), known, strict=True)
    ]
    # Several rows of one millisecond: the first stands for them all.
    _, ours, theirs = np.intersect1d(keys[0], keys[1], return_indices=True)
    order = np.argsort(ours)
    return known[0][ours[order]], known[1][theirs[order]]
