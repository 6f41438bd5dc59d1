"""A model that knows its future is caught: before training, and by what shuffling says."""

import numpy as np
import pytest

from core.errors import ModelError
from core.sections import ModelSettings
from features.catalog import NAMES
from models.training.evaluate import LEAK_RULE
from models.training.leakage import misplaced_share, require_own_features
from models.training.train import fit
from tests.support.datasets import recorded_dataset

SETTINGS = ModelSettings(horizon_s=5.0, rounds=15, depth=3, threads=1, members=("xgboost",))


@pytest.mark.parametrize("name", ["EURUSD_oanda", "EURUSD_histdata2012", "XAUUSD_oanda"])
def test_features_one_tick_in_the_future_are_caught(name: str) -> None:
    """The spread of histdata is a constant: its share of the price still tells rows apart."""
    data = recorded_dataset(name, 20_000)
    assert misplaced_share(data) == 0.0
    shifted = data._replace(rows=np.roll(data.rows, -1, axis=0))
    assert misplaced_share(shifted) > 0.1
    with pytest.raises(ModelError, match="features of another tick"):
        fit(shifted, "r", SETTINGS, simulated=False)


def test_missing_spreads_say_nothing_and_few_rows_are_no_error() -> None:
    data = recorded_dataset(ticks=2_000)
    data.rows[:, NAMES.index("spread_bp")] = np.nan
    require_own_features(data)
    require_own_features(data._replace(rows=data.rows[:0], mid=data.mid[:0]))


def test_a_column_that_knows_the_answer_exceeds_what_the_rule_allows() -> None:
    """The rule on every card is one that a leak breaks: the next move, hidden in a column."""
    data = recorded_dataset(ticks=60_000)
    rows = data.rows.copy()
    later = np.searchsorted(data.time_us, data.time_us + 5_000_000, side="right") - 1
    rows[:, NAMES.index("return_1s")] = (data.mid[later] / data.mid - 1) * 1e4
    card = fit(data._replace(rows=rows), "r", SETTINGS, simulated=False).card
    assert card.metrics.auc_direction is not None
    assert card.metrics.auc_direction > 0.9
    assert "0.60" in LEAK_RULE


def test_shuffled_answers_give_chance_on_recorded_rows() -> None:
    data, result = recorded_dataset(ticks=60_000), []
    kept = NAMES.index("spread_bp")
    for seed in (3, 4, 5):
        rows = data.rows[np.random.default_rng(seed).permutation(len(data.rows))]
        rows[:, kept] = data.rows[:, kept]
        card = fit(data._replace(rows=rows), "r", SETTINGS, simulated=False).card
        result.append(card.metrics.auc_direction)
    assert np.mean(result) == pytest.approx(0.5, abs=0.06)
