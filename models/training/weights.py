"""How much a row counts in training, and a member in a prediction."""

import numpy as np
import numpy.typing as npt

Times = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

_HALF_LIVES = 2.0  # of the rows' span: how fast older accuracy is forgotten
_FLOOR = 0.05  # least weight of a member over the best one's, so that it may recover


def uniqueness(time_us: Times, end_us: Times) -> Floats:
    """How little the answer of each row of one feed overlaps others': 0 to 1, shape (n,).

    The mean, over the rows of an answer's life, of one over how many answers were alive (Lopez
    de Prado, Advances in Financial Machine Learning, 2018, chapter 4).

    Args:
        time_us: when each row's answer begins, ascending.
        end_us: when it is known; not before it begins.
    """
    count = len(time_us)
    last = np.maximum(np.searchsorted(time_us, end_us, side="right") - 1, np.arange(count))
    alive = np.zeros(count + 1)
    np.add.at(alive, np.arange(count), 1.0)
    np.add.at(alive, last + 1, -1.0)
    share = np.concatenate([[0.0], np.cumsum(1.0 / np.maximum(np.cumsum(alive)[:count], 1.0))])
    weight: Floats = (share[last + 1] - share[np.arange(count)]) / (last + 1 - np.arange(count))
    return weight


def member_weights(skill: dict[str, float]) -> dict[str, float]:
    """Weights that add up to 1, in proportion to skill; equal when nobody has any.

    Args:
        skill: how much better than class shares each member was lately, see `recent_skill`.
    """
    best = max(skill.values())
    if best <= 0:
        return dict.fromkeys(skill, 1.0 / len(skill))
    raw = {name: max(value, _FLOOR * best) for name, value in skill.items()}
    total = sum(raw.values())
    return {name: value / total for name, value in raw.items()}


def recent_skill(squares: Floats, of_shares: Floats, time_us: Times) -> float:
    """Brier score of class shares minus a member's, newer rows counting more.

    Args:
        squares: a member's squared distance to the truth, per row.
        of_shares: the same of the class shares.
        time_us: of the rows.
    """
    span = max(int(time_us.max() - time_us.min()), 1)
    age = (time_us.max() - time_us) / span * _HALF_LIVES
    return float(np.average(of_shares - squares, weights=0.5**age))
