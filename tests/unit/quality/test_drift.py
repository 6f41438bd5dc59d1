"""The stability index: nothing for the same distribution, much for a moved one."""

import numpy as np
import pandas as pd
import pytest

from quality import thresholds
from quality.drift import psi
from quality.suites.feature import derived, range_of


def test_index_is_zero_for_the_same_and_grows_with_the_shift() -> None:
    random = np.random.default_rng(1)
    reference, same = random.normal(size=20_000), random.normal(size=20_000)
    assert psi(reference, reference, 10) == 0
    result = [psi(reference, same + shift, 10) for shift in (0.0, 0.5, 2.0)]
    assert result[0] < 0.01 < result[1] < result[2]
    assert result[2] > thresholds.DRIFT_PSI


def test_repeated_values_and_missing_ones_do_not_count_as_drift() -> None:
    half = np.array([0.0] * 900 + [1.0] * 100 + [np.nan] * 500)
    assert psi(half, half[:1000], 10) == pytest.approx(0.0)
    assert psi(np.array([np.nan]), half, 10) == 0


def test_a_row_per_feature_says_what_is_wrong_with_it() -> None:
    rows = thresholds.DRIFT_MIN_ROWS
    random = np.random.default_rng(2)
    before = pd.DataFrame({"rsi_14": random.uniform(30, 70, rows), "rate_10s": np.ones(rows)})
    day = before.assign(rsi_14=before["rsi_14"] + 29, rate_10s=np.nan)
    day.loc[0, "rsi_14"] = 101
    result = derived(day, before).set_index("feature")
    assert result.loc["rsi_14", "out_of_range"] == 1
    assert result.loc["rsi_14", "drift"] > thresholds.DRIFT_PSI
    assert result.loc["rate_10s", "null_share"] == 1
    warming = before.assign(rsi_14=before["rsi_14"].where(before.index > 900), rate_10s=np.nan)
    assert (derived(warming, before[:0])["null_share"] == 0).all()
    gone = warming.assign(rsi_14=warming["rsi_14"].where(warming.index < 1500))
    assert derived(gone, before[:0]).set_index("feature").loc["rsi_14", "null_share"] > 0.4
    assert (derived(day, before[:10])["drift"] == 0).all()
    assert range_of("macd_bp") == thresholds.OTHER_RANGE
