"""A position is opened for what is left of the edge after spread and slippage."""

import numpy as np
import pytest

from features.catalog import NAMES
from strategies.edge import Costs, edge_bp, in_steps, mean_gains, scale_bp, target_share


def rows(volatility: float, spread: float) -> np.ndarray:
    row = np.zeros((1, len(NAMES)), np.float32)
    row[0, NAMES.index("volatility_60s")] = volatility
    row[0, NAMES.index("spread_bp")] = spread
    return row


def share(p_down: float, p_up: float, volatility: float, spread: float) -> float:
    p = np.array([[p_down, 1 - p_down - p_up, p_up]], np.float32)
    market = rows(volatility, spread)
    edge = edge_bp(market, p, (1.5, 1.5), 60.0)
    return float(target_share(market, edge, Costs(0.1))[0])


def test_nothing_is_opened_unless_the_edge_pays_for_the_costs() -> None:
    assert share(0.1, 0.7, volatility=1.0, spread=1.0) == 0.0  # 0.9 bp against 1.1
    assert 0.5 < share(0.1, 0.7, volatility=2.0, spread=1.0) < 0.7  # 1.8 bp
    assert share(0.1, 0.7, volatility=9.0, spread=1.0) == 1.0
    assert share(0.7, 0.1, volatility=9.0, spread=1.0) == -1.0
    assert share(0.4, 0.4, volatility=9.0, spread=1.0) == 0.0


def test_a_missing_volatility_leaves_the_spread_to_go_by() -> None:
    assert scale_bp(rows(np.nan, 2.0), 60.0).tolist() == [2.0]
    assert share(0.0, 0.9, volatility=np.nan, spread=1.0) == pytest.approx(0.227, abs=0.01)


def test_a_missing_spread_opens_nothing() -> None:
    assert share(0.0, 0.9, volatility=5.0, spread=np.nan) == 0.0


def test_gains_are_mean_moves_in_units_of_the_markets_own() -> None:
    market = np.concatenate([rows(2.0, 1.0), rows(4.0, 1.0), rows(1.0, 1.0)])
    label = np.array([2, 2, 1], np.int8)
    assert mean_gains(market, np.array([3.0, -8.0, 9.0]), label, 60.0) == (0.0, 1.75)


def test_shares_go_in_tenths_upwards() -> None:
    assert in_steps(np.array([0.0, 0.01, 0.1, 0.55, 1.0])).tolist() == [0, 0.1, 0.1, 0.6, 1.0]
