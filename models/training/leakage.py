"""Does a row know its future? What can be checked of every dataset before anything is trained.

A feature row is made of the tick it belongs to, whose quote stands beside it. So its own
`spread_bp` must be that quote's: when features were shifted against their rows, by one tick or a
thousand, it is another quote's. It costs a pass over one column and catches every misjoin.
"""

import numpy as np

from core.errors import ModelError
from features.catalog import NAMES
from models.training.dataset import Dataset

_SPREAD = NAMES.index("spread_bp")
_ROUNDING = 5e-7  # of float32, relative; a constant spread still moves more with its price
_TOLERATED = 1e-3  # share of rows; none is expected


def misplaced_share(data: Dataset) -> float:
    """Share of rows whose spread_bp is not that of the quote beside it."""
    if not len(data.rows):
        return 0.0
    own = data.spread / data.mid * 1e4
    spread = data.rows[:, _SPREAD].astype(np.float64)
    known = np.isfinite(spread)
    away = np.abs(spread - own) > _ROUNDING * np.abs(own) + 1e-9
    return float((away & known).mean())


def require_own_features(data: Dataset) -> None:
    """Raise unless every row's features are of its own tick.

    Raises:
        ModelError: they are shifted or mixed up.
    """
    share = misplaced_share(data)
    if share > _TOLERATED:
        raise ModelError(
            f"{share:.1%} of the rows carry features of another tick (their spread_bp is not "
            "their quote's): a leak or a wrong join; store the features again and train then"
        )
