"""A replay of a desk: each strategy as it is alone, as a backtest has it, and explained."""

import json
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest

from backtest.job import FeedFile, Job
from backtest.run import run
from cli.main import main
from core import settings
from core.contracts.order import EventKind
from core.contracts.signal import Signal
from core.sections import ModelSettings
from execution.journal import journal
from models.serving.registry import Registry
from models.training.train import fit
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
from tests.support.datasets import recorded_dataset
from tests.support.pair_strategy import APART

pytestmark = [pytest.mark.process, pytest.mark.heavy(suite="survival")]

TEXT = """
[strategies.cross]
use = "ema_cross"
share = 0.2
symbols = ["EURUSD"]

[strategies.cross.signals]
horizon_s = 300

[strategies.out]
use = "breakout"
share = 0.2

[strategies.mine]
share = 0.1

[strategies.apart]
share = 0.2
pairs = [["EURUSD", "XAUUSD"]]

[strategies.quiet]
use = "scripted"
share = 0.05
mode = "shadow"

[strategies.leans]
share = 0.15
model = "FIRST"

[strategies.follows]
use = "model"
share = 0.1
model = "SECOND"

[strategies.follows.signals]
threshold = 0.0
min_agreement = 0.0
"""
LEANS = '''
"""Goes where its model leans."""

import numpy as np
from tickhouse import Targets


class Leans:
    name, horizon_s, needs_model = "leans", 300.0, False

    def __init__(self, settings):
        pass

    def targets(self, rows, probabilities):
        lean = probabilities[:, 2] - probabilities[:, 0]
        return Targets(np.sign(lean) * (np.abs(lean) > 0.05), np.abs(lean))
'''
MINE = '''
"""Counts rows since the strength index was high, and goes against every tenth high."""

from features.catalog import NAMES


class Mine:
    name, horizon_s, needs_model, state_size = "mine", 60.0, False, 2

    def __init__(self, settings):
        pass

    def step(self, state, row, probabilities):
        high = row[NAMES.index("rsi_14")] > 60
        state[0] += high
        state[1] = 0.0 if high else state[1] + 1.0
        return -1 if high and state[0] % 10 == 0 else 0, 1.0 / (1.0 + state[1])
'''


@dataclass
class Replayed:
    home: Path
    files: list[Path]
    text: str
    models: tuple[str, str]
    result: dict


def trained(home: Path) -> tuple[str, str]:
    """Two models that are nobody's champion."""
    data = recorded_dataset(ticks=30_000)
    settings = [ModelSettings(900.0, n, 4, threads=1, members=("xgboost",)) for n in (10, 20)]
    models = [fit(data, "r", one, simulated=True) for one in settings]
    for model in models:
        Registry(home / "models").save(model)
    return models[0].card.sha256, models[1].card.sha256


@pytest.fixture(scope="module")
def replayed(recordings, tmp_path_factory):
    """Two feeds, seven strategies, two models; processes are killed on the way."""
    folder = tmp_path_factory.mktemp("ticks")
    home = new_home.for_replay(tmp_path_factory.mktemp("home"))
    models, desk = trained(home), folder / "desk.toml"
    text = TEXT.replace("FIRST", models[0][:12]).replace("SECOND", models[1])
    desk.write_text(text)
    (home / "strategies").mkdir()
    (home / "strategies" / "mine.py").write_text(MINE)
    (home / "strategies" / "apart.py").write_text(APART)
    (home / "strategies" / "leans.py").write_text(LEANS)
    files = [
        cut(recordings / "ticks" / "EURUSD_oanda.parquet", folder, 40_000, 15_000),
        cut(recordings / "ticks" / "XAUUSD_oanda.parquet", folder, 250_000, 15_000),
    ]
    process = start_replay(home, [*map(str, files), "--desk", str(desk)])
    kill_in_turn(home, {"execution": 0.6, "streams.signals": 1.2}.items())
    result = finished(process)
    assert result["reconciled"], result["reconciliation"]
    return Replayed(home, files, text, models, result)


def records(replayed):
    path = replayed.home / "runs" / replayed.result["run_id"] / "journal"
    return [place.record for place in journal.read(path)], list(journal.events(path))


def backtest(replayed, strategy, desk=b""):
    config = settings.load(environment(replayed.home))
    named = msgspec.structs.replace(
        config.run, run_id="own", mode="backtest", account="own", strategy=strategy
    )
    feeds = tuple(
        FeedFile(str(f), f.stem.split("_")[1], f.stem.split("_")[0]) for f in replayed.files
    )
    traded = tuple((f.source, f.symbol) for f in feeds)
    return run(Job("all", msgspec.structs.replace(config, run=named), feeds, traded, desk=desk))


def test_a_backtest_gives_signals_orders_and_fills_of_the_replay(replayed):
    outcome, (live, events) = backtest(replayed, "desk", replayed.text.encode()), records(replayed)
    signals = [record for record in live if isinstance(record, Signal)]
    traded = {s.strategy for s in signals}
    assert traded == {"cross", "out", "mine", "apart", "quiet", "leans", "follows"}
    assert {s.symbol for s in signals if s.strategy == "apart"} == {"EURUSD", "XAUUSD"}
    assert [without_names(s) for s in outcome.signals] == [without_names(s) for s in signals]
    assert [without_names(e) for e in outcome.events] == [without_names(e) for e in events]
    sent = {e.strategy for e in events if e.kind is EventKind.SUBMITTED}
    assert sent == traded - {"quiet"}


def test_each_strategy_decides_what_it_decides_alone(replayed):
    own = backtest(replayed, "breakout").signals  # those of a replay: test_same_decisions
    assert len(own) > 10
    signals = [r for r in records(replayed)[0] if isinstance(r, Signal) and r.strategy == "out"]
    unnamed = [msgspec.structs.replace(without_names(s), strategy="", model="") for s in signals]
    assert unnamed == [
        msgspec.structs.replace(without_names(s), strategy="", model="") for s in own
    ]


def test_decisions_of_every_strategy_are_explained_bit_for_bit(
    replayed, tmp_path, monkeypatch, capsys
):
    _, events = records(replayed)
    ids = {e.strategy: e.signal_id for e in events}
    ids |= {f"apart {e.symbol}": e.signal_id for e in events if e.strategy == "apart"}
    assert len(ids) == 9
    (replayed.home / "strategies" / "mine.py").write_text("changed since")
    with warehouse_on(replayed.home) as client:
        stored = {name: facts.find(client, signal_id) for name, signal_id in ids.items()}
        ticks = {name: history.read(client, one).at(history.NOW) for name, one in stored.items()}
    for name, one in stored.items():
        needed = material.of(one, replayed.home, tmp_path / name)._replace(ticks=ticks[name])
        comparison = compare(one, recompute(one, needed))
        assert comparison.same, (name, comparison.text)
        file = tmp_path / f"{name}.zip"
        seal = bundle.write(file, one, needed)
        monkeypatch.setenv("TICKHOUSE_HOME", str(tmp_path / "nowhere"))
        assert main(["explain", "--verify", str(file), "--json", "--seal", seal]) == 0
        assert json.loads(capsys.readouterr().out)["same"]
        assert main(["explain", "--verify", str(file), "--json"]) != 0  # code of a person's
        capsys.readouterr()


def test_each_sees_its_own_model_and_lineage_says_which(replayed):
    first, second = replayed.models
    signals = [record for record in records(replayed)[0] if isinstance(record, Signal)]
    said = {name: [s for s in signals if s.strategy == name] for name in ("leans", "follows")}
    assert {s.model for s in said["leans"]} == {"leans"}
    assert {s.prediction_id.partition(":")[2] for s in said["leans"]} == {first}
    assert {s.model for s in said["follows"]} == {second}
    assert {s.prediction_id.partition(":")[2] for s in said["follows"]} == {second}
    assert not any(s.prediction_id for s in signals if s.strategy not in said)
    with warehouse_on(replayed.home) as client:
        rows = client.query(
            "SELECT count(), uniqExact(prediction_id), uniqExact(model) FROM named_prediction FINAL"
        ).result_rows
        members = client.query(
            "SELECT role, count(), uniqExact(prediction_id) FROM prediction_member GROUP BY role"
        ).result_rows
        features = client.command("SELECT count() FROM feature FINAL")
        lineage = client.query(
            "SELECT l.strategy, l.model, n.model, count(), min(l.p_up = n.p_up) FROM lineage AS l"
            " INNER JOIN named_prediction AS n ON l.prediction_id = n.prediction_id"
            " GROUP BY 1, 2, 3 ORDER BY 1"
        ).result_rows
    assert members == [("named", 2 * features, 2 * features)]
    assert rows == [(2 * features, 2 * features, 2)]
    assert [row[:3] for row in lineage] == [("follows", second, second), ("leans", "leans", first)]
    assert all(row[3] >= 10 and row[4] == 1 for row in lineage)
