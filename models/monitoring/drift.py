"""How far today's rows are from those a model was trained on, feature by feature.

Population stability index over ten bands that held equal shares in training (a missing value is
a band of its own), and the largest distance of the two distributions at those edges, which is
Kolmogorov and Smirnov's statistic as far as bands can tell. Bands instead of rows: a card stays
small, and no training row needs to be kept to watch a model.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from core.stability import stability_index
from models.serving.card import DOWN, UP, Band, Bands

_ROWS = 50_000
_BANDS = 10
_CUTS = np.arange(1, _BANDS) / _BANDS

Rows = npt.NDArray[np.float32]
Values = npt.NDArray[np.float32]


class Drift(NamedTuple):
    """One column's distance from training. `psi` above 0.2 is usually taken for a real change."""

    name: str
    psi: float
    ks: float
    missing: float
    missing_then: float


def bands_of(rows: Rows, probabilities: Rows) -> Bands:
    """Bands of training rows [n, F], and of predictions [m, 3] that came after them."""
    some = rows[:: max(1, len(rows) // _ROWS)]
    return Bands(
        features=tuple(_band(some[:, n]) for n in range(rows.shape[1])),
        predicted=tuple(_band(probabilities[:, c]) for c in (DOWN, UP)),
    )


def drift(
    bands: Bands, names: Sequence[str], columns: Mapping[str, Values], probabilities: Rows
) -> list[Drift]:
    """Every feature that the model learnt from, then `p_down` and `p_up`.

    Args:
        names: of the bands' features, in their order, a person's own too.
        columns: what each is now, (n,); a feature without any is left out.
        probabilities: float32 [m, 3].
    """
    drifts = [
        _drift(name, band, columns[name])
        for name, band in zip(names, bands.features, strict=True)
        if len(columns.get(name, ()))
    ]
    for n, (name, column) in enumerate((("p_down", DOWN), ("p_up", UP))):
        drifts.append(_drift(name, bands.predicted[n], probabilities[:, column]))
    return drifts


def _band(values: npt.NDArray[np.floating]) -> Band:
    known = np.isfinite(values)
    missing = float(1.0 - known.mean()) if len(values) else 1.0
    if known.sum() < _BANDS * 10:
        return Band((), (), missing)
    cuts = np.quantile(values[known].astype(np.float64), _CUTS, method="lower")
    edges = tuple(float(np.float32(v)) for v in np.unique(cuts))
    return Band(edges, tuple(_shares(values[known], edges).tolist()), missing)


def _drift(name: str, band: Band, values: npt.NDArray[np.floating]) -> Drift:
    known = np.isfinite(values)
    missing = float(1.0 - known.mean()) if len(values) else 0.0
    now, then = np.array([missing]), np.array([band.missing])
    ks = 0.0
    if band.edges and known.any():
        shares, before = _shares(values[known], band.edges), np.array(band.shares)
        ks = float(np.abs(np.cumsum(shares - before)).max())
        now = np.append(shares * (1.0 - missing), missing)
        then = np.append(before * (1.0 - band.missing), band.missing)
    return Drift(name, stability_index(then, now), ks, missing, band.missing)


def _shares(values: npt.NDArray[np.floating], edges: tuple[float, ...]) -> npt.NDArray[np.float64]:
    bins = np.searchsorted(np.array(edges), values.astype(np.float64), side="left")
    share: npt.NDArray[np.float64] = np.bincount(bins, minlength=len(edges) + 1) / len(values)
    return share
