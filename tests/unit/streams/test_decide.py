"""From predictions to signals: what opens nothing, and how large the rest is."""

import pickle
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.clock import ManualClock
from core.contracts.tick import TickMarker
from core.desk import Desk, parse
from core.sections import RunSettings, SignalSettings
from core.settings import Settings
from features.catalog import NAMES
from models.serving.predictor import Predictions
from strategies.desk import Member, members
from strategies.protocol import ModelStrategy
from streams.decide import Decider, memory_key
from streams.records import Predicted, Sampled

SETTINGS = SignalSettings(threshold=0.55, slippage_bp=0.1, min_agreement=0.6)
ALONE = Member("model", ModelStrategy(SETTINGS), SETTINGS)


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
    decider = Decider(RunSettings(), [ALONE], ManualClock(0), None)
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
    decider = Decider(RunSettings(), [ALONE], ManualClock(0), None)
    (signal,) = decider.rows(predicted(up=0.8, agreement=0.75)).signals
    assert signal.confidence == pytest.approx(0.6)


def sampled_rows(symbol: str, rows: int, seed: int) -> Sampled:
    """Rows, one a second, whose moving averages cross now and then."""
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(rows, len(NAMES))).astype(np.float32)
    features[:, NAMES.index("volatility_60s")] = 3.0
    return Sampled(
        run_id="r", mode="replay", source="sim", symbol=symbol, received_ns=1,
        time_msc=60_000 + 1000 * np.arange(rows), seq=np.zeros(rows, np.uint32),
        mid=np.ones(rows), spread=np.full(rows, 1e-4), features=features,
    )  # fmt: skip


def cut(sampled: Sampled, begin: int, end: int) -> Predicted:
    names = ("time_msc", "seq", "mid", "spread", "features")
    part = sampled._replace(**{name: getattr(sampled, name)[begin:end] for name in names})
    return Predicted(part, "", None)


DESK = parse(
    b"""[strategies.fast]\nuse = "ema_cross"\nsymbols = ["A"]\n[strategies.fast.signals]
horizon_s = 20\nstop_spreads = 3\n[strategies.fast.exits]\ntake_profit_stops = 2
[strategies.breakout]\n[strategies.scripted]\n""",
    "desk.toml",
)


def of_desk(desk: Desk, *, alone: bool = False) -> tuple[Member, ...]:
    all_of_it = members(desk, Settings(), lambda _use: Path("nowhere"))
    return tuple(member._replace(alone=alone or member.alone) for member in all_of_it)


def test_a_strategy_on_a_desk_decides_what_it_decides_alone() -> None:
    feeds = [sampled_rows("A", 900, 1), sampled_rows("B", 900, 2)]
    together = Decider(RunSettings(), of_desk(DESK), None, None)
    decided = [s for feed in feeds for s in together.rows(cut(feed, 0, 900)).signals]
    assert {(s.strategy, s.symbol) for s in decided} == {
        ("fast", "A"), ("breakout", "A"), ("breakout", "B"), ("scripted", "A"), ("scripted", "B"),
    }  # fmt: skip
    for one in of_desk(DESK, alone=True):
        lonely = Decider(RunSettings(), [one], None, None)
        own = [s for feed in feeds for s in lonely.rows(cut(feed, 0, 900)).signals]
        assert own == [s for s in decided if s.strategy == one.name] != []
    assert all(s.take_profit > 0 for s in decided if s.strategy == "fast")


def test_a_desk_decides_the_same_however_rows_are_cut_and_after_every_restart() -> None:
    feed, whole = sampled_rows("A", 600, 3), Decider(RunSettings(), of_desk(DESK), None, None)
    expected = whole.rows(cut(feed, 0, 600)).signals
    state, signals, bounds = None, [], [0, 1, 2, 50, 51, 333, 600]
    for begin, end in pairwise(bounds):
        decider = Decider(RunSettings(), of_desk(DESK), None, state)
        signals += decider.rows(cut(feed, begin, end)).signals
        state = pickle.loads(pickle.dumps(decider.state))
    assert signals == list(expected) != []
    end = Decider(RunSettings(), of_desk(DESK), None, state).marker(TickMarker("r", "end", 1, 0))
    assert end is not None
    assert end.batch.signals == sorted(
        expected, key=lambda s: (s.ts_event_us, s.source, s.symbol, s.seq)
    )


def test_a_strategy_that_begins_alone_goes_on_with_what_the_feed_held() -> None:
    """What the warehouse says was held before is the same as what the stream remembers."""
    feed, desk = sampled_rows("A", 600, 4), Decider(RunSettings(), of_desk(DESK), None, None)
    signals = desk.rows(cut(feed, 0, 600)).signals
    held, _ = desk.state
    newest = max(signals, key=lambda s: (s.ts_event_us, s.seq, s.strategy))
    assert held["sim.A"] == (np.sign(newest.target), newest.horizon_us // 1000)
    for name in DESK.names:
        own = [s for s in signals if s.strategy == name][-1]
        assert held[f"{name}/sim.A"] == (np.sign(own.target), own.horizon_us // 1000)


def test_a_strategy_without_a_model_does_not_see_what_is_predicted() -> None:
    blind = ALONE._replace(sees_model=False)
    assert Decider(RunSettings(), [blind], ManualClock(0), None).rows(predicted()).signals == ()


class Climbing:
    """Remembers the sum of a column, and turns where it changes sign."""

    name, horizon_s, needs_model, state_size = "climbing", 30.0, False, 1

    def step(self, state: Any, row: Any, probabilities: Any) -> tuple[int, float]:
        before, state[0] = state[0], state[0] + row[0]
        return (int(np.sign(state[0])) if before * state[0] < 0 else 0), 0.5


CLIMBING = Member("climbing", Climbing(), SETTINGS, alone=False, version="v1")


def test_what_a_strategy_remembers_outlives_cuts_and_restarts_and_stands_beside_its_signals() -> (
    None
):
    feed = sampled_rows("A", 600, 5)
    whole = Decider(RunSettings(), [CLIMBING, *of_desk(DESK)], None, None).rows(cut(feed, 0, 600))
    own = [signal for signal in whole.signals if signal.strategy == "climbing"]
    assert [memory.signal for memory in whole.memories] == own != []
    state, signals, memories = None, [], []
    for begin, end in pairwise([0, 1, 2, 50, 333, 600]):
        decider = Decider(RunSettings(), [CLIMBING, *of_desk(DESK)], None, state)
        decided = decider.rows(cut(feed, begin, end))
        signals += decided.signals
        memories += decided.memories
        state = pickle.loads(pickle.dumps(decider.state))
    assert signals == list(whole.signals)
    assert memories == list(whole.memories)
    for memory in memories:  # the row alone, from what stands beside its signal
        at = int(np.flatnonzero(feed.time_msc == memory.signal.time_msc)[0])
        remembered = {memory_key(CLIMBING, "sim.A"): memory.state}
        again = Decider(RunSettings(), [CLIMBING], None, ({}, [], remembered))
        assert again.rows(cut(feed, at, at + 1)).signals == (memory.signal,)


def test_a_strategy_that_was_changed_remembers_nothing() -> None:
    feed, before = sampled_rows("A", 100, 6), Decider(RunSettings(), [CLIMBING], None, None)
    before.rows(cut(feed, 0, 50))
    changed = CLIMBING._replace(version="v2")
    after = Decider(RunSettings(), [changed], None, before.state)
    fresh = Decider(RunSettings(), [changed], None, before.state[:2])
    later = cut(feed, 50, 100)
    assert after.rows(later).memories == fresh.rows(later).memories != ()
