"""A replay with a feature of one's own: a backtest's values and signals, in SQL, and explained;
whatever was killed on the way.
"""

from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
import pytest

import tickhouse
from adapters.simulator.markets.recorded import RecordedMarket
from adapters.simulator.markets.tickfile import ParquetTicks
from backtest.job import FeedFile, Job
from backtest.run import run
from backtest.stages import FeatureStages
from core import settings
from core.contracts.signal import Signal
from core.errors import InputError, ModelError
from execution.journal import journal
from features import own
from features.catalog import FEATURE_SET_HASH, NAMES
from models.monitoring.performance import watch
from models.serving.card import Span
from models.serving.predictor import Predictor
from models.serving.registry import Registry
from models.training.rebuilt import rebuilt
from streams.explain import bundle, facts, history, material
from streams.explain.recompute import recompute
from streams.explain.reproduction import compare
from tests.e2e.replay_runs import (
    cut,
    environment,
    finished,
    kill_in_turn,
    start_replay,
    warehouse_on,
)
from tests.e2e.test_same_decisions import without_names
from tests.support import new_home

pytestmark = [pytest.mark.process, pytest.mark.heavy(suite="survival")]

FEATURE = '''
"""How far mid is from where it was on average, over ticks since it began."""

from tickhouse import OwnFeature

FEATURE = OwnFeature("drift_bp", "bp", "mid over its slow mean", 0.0, (("n", "i8"), ("mean", "f8")))


def update(state, ticks, out):
    for n in range(len(ticks)):
        mid = (ticks[n].bid + ticks[n].ask) / 2.0
        state.n += 1
        state.mean += (mid - state.mean) / min(state.n, 5000)
        out[n] = (mid / state.mean - 1.0) * 10000.0
'''
STRATEGY = '''
"""Goes back to the slow mean."""

import numpy as np
from tickhouse import Targets, feature_index


class Back:
    name, horizon_s, needs_model = "back", 60.0, False

    def __init__(self, settings):
        self.at = feature_index("drift_bp")

    def targets(self, rows, probabilities):
        far = rows[:, self.at]
        direction = (far < -1.0).astype(np.int8) - (far > 1.0)
        return Targets(direction, np.minimum(np.abs(far) / 10, 1).astype(np.float32))
'''


LEAN = '''
"""Follows the model where it leans."""

import numpy as np
from tickhouse import Targets


class Lean:
    name, horizon_s, needs_model = "lean", 60.0, False

    def __init__(self, settings):
        pass

    def targets(self, rows, probabilities):
        if probabilities is None:
            return Targets(np.zeros(len(rows), np.int8), np.zeros(len(rows), np.float32))
        lean = probabilities[:, 2] - probabilities[:, 0]
        return Targets(np.sign(lean) * (np.abs(lean) > 0.02), np.abs(lean))
'''


DESK = """
[strategies.back]
model = "none"
[strategies.lean]
"""


@dataclass
class Replayed:
    home: Path
    files: list[Path]
    result: dict


@pytest.fixture(scope="module")
def replayed(recordings, tmp_path_factory):
    """Two feeds, a strategy of the feature and one of a model that learnt from it; the stream is
    killed on the way.
    """
    folder = tmp_path_factory.mktemp("ticks")
    home = new_home.for_replay(tmp_path_factory.mktemp("home"))
    strategies = ("strategies/back", STRATEGY), ("strategies/lean", LEAN)
    for name, text in (("features/drift_bp", FEATURE), *strategies):
        path = home / f"{name}.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    desk = folder / "desk.toml"
    desk.write_text(DESK)
    files = [
        cut(recordings / "ticks" / "EURUSD_oanda.parquet", folder, 40_000, 12_000),
        cut(recordings / "ticks" / "XAUUSD_oanda.parquet", folder, 250_000, 12_000),
    ]
    process = start_replay(
        home, [*map(str, files), "--desk", str(desk), "--train-first", "0.5"],
        TICKHOUSE_MODELS__OWN_FEATURES="true", TICKHOUSE_MODELS__MEMBERS="xgboost",
    )  # fmt: skip
    kill_in_turn(home, {"streams.signals": 0.8}.items())
    result = finished(process)
    assert result["reconciled"], result["reconciliation"]
    return Replayed(home, files, result)


@pytest.fixture(scope="module")
def server(replayed):
    with warehouse_on(replayed.home) as client:
        yield client


def journalled(replayed, strategy):
    path = replayed.home / "runs" / replayed.result["run_id"] / "journal"
    records = [place.record for place in journal.read(path)]
    return [r for r in records if isinstance(r, Signal) and r.strategy == strategy]


def test_a_backtest_gives_the_signals_of_the_replay(replayed):
    config = settings.load(environment(replayed.home))
    named = msgspec.structs.replace(
        config.run, run_id="own", mode="backtest", account="own", strategy="desk"
    )
    feeds = tuple(
        FeedFile(str(f), f.stem.split("_")[1], f.stem.split("_")[0]) for f in replayed.files
    )
    job = Job(
        "all", msgspec.structs.replace(config, run=named), feeds,
        tuple((f.source, f.symbol) for f in feeds), desk=DESK.encode(),
    )  # fmt: skip
    outcome, live = run(job), journalled(replayed, "back")
    assert len(live) > 20
    assert [without_names(s) for s in outcome.signals] == [without_names(s) for s in live]


def test_sql_serves_the_values_of_a_backtest_under_the_sessions_set(replayed, server):
    config = settings.load(environment(replayed.home))
    market = RecordedMarket([ParquetTicks(path) for path in replayed.files], 32_768)
    stages, number, rows = FeatureStages(config, market, market.feeds()), 1, []
    while (part := stages.slice(number)) is not None:
        rows += part.rows
        number += 1
    expected = {
        (row.symbol, int(time), int(seq)): value.tobytes()
        for row in rows
        for time, seq, value in zip(row.time_msc, row.seq, row.features[:, -1], strict=True)
    }
    stored = server.query(
        "SELECT symbol, toUnixTimestamp64Milli(ts_event), seq, value, feature_set_hash, name"
        " FROM own_feature FINAL"
    ).result_rows
    session = server.query(
        "SELECT feature_set_hash, base64Encode(c.body) FROM session AS s FINAL"
        " INNER JOIN content AS c ON c.hash = s.features_hash WHERE c.kind = 'features'"
    ).result_rows
    kept = server.query(
        "SELECT DISTINCT l.features_hash = s.features_hash, l.features_hash != ''"
        " FROM lineage AS l INNER JOIN session AS s ON l.run_id = s.run_id"
    ).result_rows
    assert kept == [(1, 1)]
    assert {row[:3]: np.float32(row[3]).tobytes() for row in stored} == expected
    assert len(stored) == len(expected) > 1_000
    set_hash = own.set_hash(own.of_folder(replayed.home / "features"))
    assert {row[4:] for row in stored} == {(set_hash, "drift_bp")}
    assert [row[0] for row in session] == [set_hash] != [FEATURE_SET_HASH]
    with tickhouse.connect(replayed.home) as home:
        served = home.features("EURUSD").arrow()
    own_values = zip(
        served["ts_event"].cast("int64").to_numpy() // 1000, served["seq"].to_numpy(),
        served["drift_bp"].to_numpy(), strict=True,
    )  # fmt: skip
    assert {("EURUSD", int(t), int(n)): v.tobytes() for t, n, v in own_values} == {
        key: value for key, value in expected.items() if key[0] == "EURUSD"
    }
    assert served.column_names[-2:] == [NAMES[-1], "drift_bp"]


def explained(replayed, server, tmp_path, signal, *, from_start):
    decided = facts.find(server, signal.signal_id, from_start=from_start)
    ready = material.of(decided, replayed.home, tmp_path)
    ticks = history.read(server, decided).at(history.NOW)
    return decided, ready._replace(ticks=ticks)


@pytest.mark.parametrize("from_start", [True, False])
def test_a_decision_is_explained_with_the_feature_that_held_then(
    replayed, server, tmp_path, from_start
):
    (replayed.home / "features" / "drift_bp.py").write_text(FEATURE.replace("5000", "7"))
    try:
        signal = journalled(replayed, "back")[-1]
        decided, ready = explained(replayed, server, tmp_path, signal, from_start=from_start)
    finally:
        (replayed.home / "features" / "drift_bp.py").write_text(FEATURE)
    assert bool(decided.hour.own) != from_start
    now = recompute(decided, ready)
    assert compare(decided, now).same, compare(decided, now)
    assert now.names == (*NAMES, "drift_bp")
    other = tmp_path / "decision.zip"
    seal = bundle.write(other, decided, ready)
    with pytest.raises(InputError, match="features, whose code would run"):
        bundle.read(other, tmp_path / "opened")
    opened = bundle.read(other, tmp_path / "opened", seal)
    assert compare(opened.facts, recompute(opened.facts, opened.material)).same


def test_a_model_learns_from_it_and_its_decisions_are_explained(replayed, server, tmp_path):
    home, result = replayed.home, replayed.result
    card = Registry(home / "models").load(result["model"]).card
    set_hash = own.set_hash(own.use(own.of_folder(home / "features")))
    assert card.feature_set_hash == set_hash
    assert card.features == (*NAMES, "drift_bp")
    signals = [signal for signal in journalled(replayed, "lean") if signal.prediction_id]
    assert len(signals) > 5
    decided, ready = explained(replayed, server, tmp_path, signals[-1], from_start=False)
    given = server.query("SELECT DISTINCT feature_set_hash FROM prediction").result_rows
    learnt = rebuilt(server, card)
    assert given == [(set_hash,)]
    assert learnt.rows.shape[1] == len(NAMES) + 1
    now = recompute(decided, ready)
    assert compare(decided, now).same, compare(decided, now)
    trees = next(one for one in now.members if one.contributions is not None)
    assert trees.contributions.shape == (3, len(NAMES) + 2)
    assert np.abs(trees.contributions[:, len(NAMES)]).max() > 0
    own.use(())
    with pytest.raises(ModelError, match="put the features' files back"):
        Predictor(ready.artifact)


def test_its_drift_from_training_is_watched(replayed, server):
    config = settings.load(environment(replayed.home))
    named = msgspec.structs.replace(config.run, run_id=replayed.result["run_id"], mode="replay")
    config = msgspec.structs.replace(config, run=named)
    model, models = replayed.result["model"], replayed.home / "models"
    watched = watch(server, models, model, "champion", Span(0, 1 << 62), config)
    drifts = {one.name: one for one in watched.drift}
    assert list(drifts) == [*NAMES, "drift_bp", "p_down", "p_up"]
    (values,) = server.query("SELECT groupArray(value) FROM own_feature FINAL").result_rows[0]
    band = Registry(models).load(model).card.bands.features[-1]
    edges = np.array(band.edges)
    shares = np.bincount(np.searchsorted(edges, values), minlength=len(edges) + 1) / len(values)
    moved = np.abs(np.cumsum(shares - np.array(band.shares))).max()
    assert drifts["drift_bp"].ks == pytest.approx(moved) != 0
    assert drifts["drift_bp"].psi > 0
