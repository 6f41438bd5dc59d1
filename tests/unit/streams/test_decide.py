"""From predictions to signals: what opens nothing, and how large the rest is."""

import numpy as np
import pytest

from core.clock import ManualClock
from core.sections import RunSettings, SignalSettings
from features.catalog import NAMES
from models.serving.predictor import Predictions
from strategies.protocol import ModelStrategy
from streams.decide import Decider
from streams.records import Predicted, Sampled

SETTINGS = SignalSettings(threshold=0.55, slippage_bp=0.1, min_agreement=0.6)


def predicted(
    up: float = 0.8, agreement: float = 0.9, veto: bool = False, edge_bp: float = 5.0,
    share: float = 1.0,
) -> Predicted:  # fmt: skip
    features = np.zeros((1, len(NAMES)), np.float32)
    features[0, NAMES.index("spread_bp")] = 1.0
    sampled = Sampled(
        run_id="r", mode="live", source="sim", symbol="A", received_ns=0,
        time_msc=np.array([60_000]), seq=np.zeros(1, np.uint32), mid=np.ones(1),
        spread=np.full(1, 1e-4), features=features,
    )  # fmt: skip
    p = np.array([[0.9 - up, 0.1, up]], np.float32)
    predictions = Predictions(
        p, np.float32([agreement]), np.array([veto]), np.zeros(1, np.uint32), p[None],
        np.zeros(1, np.uint32),
    )  # fmt: skip
    return Predicted(sampled, "m", predictions, np.array([edge_bp]), share)


def decide(**more: float) -> list[float]:
    decider = Decider(RunSettings(), SETTINGS, ModelStrategy(SETTINGS), ManualClock(0), None)
    return [signal.target for signal in decider.rows(predicted(**more)).signals]


def test_an_edge_beyond_costs_opens_as_much_as_it_pays_for() -> None:
    assert decide() == [1.0]
    assert decide(edge_bp=1.6) == [0.5]  # costs 1.1
    assert decide(up=0.05, edge_bp=-5.0) == [-1.0]


@pytest.mark.parametrize(
    "why",
    [{"agreement": 0.5}, {"veto": True}, {"edge_bp": 1.0}, {"up": 0.5}, {"edge_bp": -5.0}],
)
def test_doubt_opens_nothing(why: dict[str, float]) -> None:
    assert decide(**why) == []


def test_a_new_champion_opens_less() -> None:
    assert decide(share=0.5) == [0.5]


def test_confidence_counts_how_far_the_members_agree() -> None:
    decider = Decider(RunSettings(), SETTINGS, ModelStrategy(SETTINGS), ManualClock(0), None)
    (signal,) = decider.rows(predicted(up=0.8, agreement=0.75)).signals
    assert signal.confidence == pytest.approx(0.6)
