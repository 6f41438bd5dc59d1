"""A running stack takes over an older version's state, and other champions without a restart.

Everything is real: `tickhouse up` on the simulated terminal, `tickhouse models` beside it. The
champions are graphs that say the same of every row, so that there is something to trade.
"""

import functools
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import clickhouse_connect
import msgspec
import numpy as np
import onnx
import pytest
from clickhouse_connect.driver.client import Client
from onnx import TensorProto, helper, numpy_helper

from core.sections import ModelSettings
from features.catalog import FEATURE_SET_HASH, NAMES
from models.serving.artifact import Artifact
from models.serving.manifest import name_of
from models.serving.registry import Registry
from models.serving.session import INPUT, OUTPUT
from models.training.train import fit
from tests.support import new_home
from tests.support.datasets import planted_dataset
from tests.support.running_stack import status_of
from tests.support.waiting import until

pytestmark = [pytest.mark.process, pytest.mark.heavy(suite="survival")]
_ROOT = Path(__file__).parents[2]
_TICKHOUSE = [sys.executable, "-m", "cli.main"]
_WITHIN_S = 90.0
OLD_HASH = "0123456789abcdef"

#: The version before: the same product but for the name of its feature set.
OLDER = f"""
import importlib.machinery, importlib.util, sys

class Older(importlib.machinery.SourceFileLoader):
    def exec_module(self, module):
        super().exec_module(module)
        module.FEATURE_SET_HASH = "{OLD_HASH}"

class Finder:
    def find_spec(self, name, path=None, target=None):
        if name != "features.catalog":
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path)
        spec.loader = Older(name, spec.origin)
        return spec

sys.meta_path.insert(0, Finder())
"""


class Desk(NamedTuple):
    """A home on which the stack runs, and what its champions are called."""

    environment: dict[str, str]
    home: Path
    long: str
    short: str

    def tickhouse(self, *words: str) -> str:
        done = subprocess.run(
            [*_TICKHOUSE, *words], env=self.environment, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return " ".join(done.stdout.split())

    def client(self) -> Client:
        url = (self.home / "run" / "warehouse.url").read_text().strip()
        client: Client = clickhouse_connect.get_client(dsn=url, database="tickhouse")
        return client

    def pids(self) -> dict[str, int]:
        return {name: one.pid for name, one in status_of(self.environment).processes.items()}


@functools.cache
def some_training() -> Artifact:
    """What a champion takes its card and the frame of its manifest from."""
    settings = ModelSettings(5.0, 2, 1, 0.02, threads=1, members=("xgboost",))
    return fit(planted_dataset(rows=2_500), "r", settings, simulated=True)


def champion(down: float, up: float) -> Artifact:
    """A model of one member that says this of every row, and that a move pays well."""
    fitted = some_training()
    said = np.array([down, 1.0 - down - up, up], np.float32)
    graph = helper.make_graph(
        [
            helper.make_node("IsNaN", [INPUT], ["missing"]),
            helper.make_node("Cast", ["missing"], ["known"], to=TensorProto.FLOAT),
            helper.make_node("MatMul", ["known", "nothing"], ["zero"]),
            helper.make_node("Add", ["zero", "said"], [OUTPUT]),
        ],
        "constant",
        [helper.make_tensor_value_info(INPUT, TensorProto.FLOAT, [None, len(NAMES)])],
        [helper.make_tensor_value_info(OUTPUT, TensorProto.FLOAT, [None, 3])],
        [
            numpy_helper.from_array(np.zeros((len(NAMES), 3), np.float32), "nothing"),
            numpy_helper.from_array(said, "said"),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    helper.set_model_props(model, {"feature_set_hash": FEATURE_SET_HASH})
    onnx.checker.check_model(model)
    content = model.SerializeToString()
    manifest = fitted.graphs.manifest
    far = (3e38,) * len(NAMES)
    (spec,) = manifest.members
    spec = msgspec.structs.replace(
        spec, sha256=name_of(content), slope=1.0, offsets=(0.0, 0.0, 0.0), low=(), high=()
    )
    manifest = msgspec.structs.replace(
        manifest, low=tuple(-v for v in far), high=far, members=(spec,), gains=(50.0, 50.0)
    )
    card = msgspec.structs.replace(fitted.card, sha256=name_of(manifest.to_bytes()))
    return Artifact(manifest.to_bytes(), card, {spec.name: content})


def started(environment: dict[str, str], home: Path) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [*_TICKHOUSE, "up", "--bare"],
        cwd=home.parent,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    )


def ended(process: "subprocess.Popen[str]") -> str:
    process.send_signal(signal.SIGTERM)
    try:
        out, _ = process.communicate(timeout=60)
    finally:
        process.kill()
    return out


def waited(question: Callable[[], Any], what: str) -> Any:
    """The first answer that is not empty."""

    def answer() -> Any:
        try:
            return question()
        except Exception:  # the warehouse is still starting
            return None

    try:
        return until(answer, _WITHIN_S, every_s=0.25)
    except AssertionError:
        question()  # says why, if it fails
        raise AssertionError(f"waited in vain for {what}") from None


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """An older version ran on the home and was stopped; this one runs on it now."""
    base = tmp_path_factory.mktemp("desk")
    home, older = base / "home", base / "older"
    older.mkdir()
    new_home.for_up(home)
    (older / "sitecustomize.py").write_text(OLDER)
    environment = {
        **os.environ,
        "PYTHONPATH": str(_ROOT),
        "TICKHOUSE_HOME": str(home),
        "TICKHOUSE_TERMINAL__SYMBOLS": "BTCUSD",  # its market never closes
        "TICKHOUSE_ORCHESTRATION__ENABLED": "false",
        "TICKHOUSE_REGISTRY__URL": "none",
    }
    up, down = champion(0.02, 0.95), champion(0.95, 0.02)
    desk = Desk(environment, home, up.card.sha256, down.card.sha256)
    before = started({**environment, "PYTHONPATH": f"{older}{os.pathsep}{_ROOT}"}, home)
    try:
        waited(lambda: rows_of(desk, OLD_HASH) > 20, "rows of the older version")
    finally:
        ended(before)
    registry = Registry(home / "models")
    for model in (up, down):
        registry.save(model)
    registry.promote(desk.long, "ann")
    process = started(environment, home)
    try:
        yield desk
    finally:
        out = ended(process)
        assert "Nothing is left running." in out


def rows_of(desk: Desk, feature_set: str) -> int:
    query = "SELECT count() FROM feature WHERE feature_set_hash = {h:String}"
    return int(desk.client().query(query, {"h": feature_set}).result_rows[0][0])


def predicted_by(desk: Desk, model: str, after: str = "1970-01-01") -> int:
    query = (
        "SELECT count() FROM prediction FINAL WHERE model = {m:String}"
        " AND ts_event > parseDateTime64BestEffort({after:String}, 6, 'UTC')"
    )
    return int(desk.client().query(query, {"m": model, "after": after}).result_rows[0][0])


def targets(desk: Desk, model: str) -> list[float]:
    query = (
        "SELECT s.target FROM signal AS s FINAL INNER JOIN prediction AS p FINAL"
        " ON s.symbol = p.symbol AND s.ts_event = p.ts_event AND s.seq = p.seq"
        " WHERE p.model = {m:String} ORDER BY s.ts_event"
    )
    return [float(row[0]) for row in desk.client().query(query, {"m": model}).result_rows]


def newest(desk: Desk) -> str:
    return str(
        desk.client().query("SELECT toString(max(ts_event)) FROM prediction").result_rows[0][0]
    )


def test_state_of_an_older_version_is_rebuilt_from_stored_ticks(desk: Desk) -> None:
    """No averages start anew: the first row of this version knows what the older one knew."""
    waited(lambda: rows_of(desk, FEATURE_SET_HASH) > 5, "rows of this version")
    log = "".join(path.read_text() for path in desk.home.glob("logs/*signals*"))
    assert "the feature set has changed; its state was rebuilt from" in log
    first = desk.client().query(
        "SELECT isNaN(return_5s), ts_event > (SELECT max(ts_event) FROM feature"
        " WHERE feature_set_hash = {old:String}) FROM feature"
        " WHERE feature_set_hash = {new:String} ORDER BY ts_event, seq LIMIT 1",
        {"old": OLD_HASH, "new": FEATURE_SET_HASH},
    )  # fmt: skip
    assert first.result_rows == [(False, True)]


def test_a_promotion_changes_the_stream_over_between_two_batches(desk: Desk) -> None:
    waited(lambda: predicted_by(desk, desk.long) > 5, "the first champion's predictions")
    waited(lambda: targets(desk, desk.long), "a signal of the first champion")
    before, since = desk.pids(), newest(desk)
    said = desk.tickhouse("models", "promote", desk.short[:12], "--by", "bob")
    assert "they change over with their next batch" in said
    waited(lambda: predicted_by(desk, desk.short, since) > 5, "the new champion's predictions")
    assert desk.pids() == before, "nothing was restarted"
    client = desk.client()
    order = client.query(
        "SELECT model FROM prediction FINAL ORDER BY ts_event, seq"
    ).result_columns[0]
    changes = [b for a, b in pairwise(order) if a != b]
    assert changes == [desk.short], "one change, and no way back"
    mixed = "SELECT ts_init FROM prediction FINAL GROUP BY ts_init HAVING uniqExact(model) > 1"
    assert client.query(mixed).result_rows == [], "a batch has one model"


def test_a_new_champion_opens_reduced_positions_and_the_old_one_whole_ones(desk: Desk) -> None:
    reduced = waited(lambda: targets(desk, desk.short), "a signal of the new champion")
    assert {np.sign(target) for target in reduced} == {-1.0}
    assert all(-0.5 <= target < 0.0 for target in reduced)
    assert max(targets(desk, desk.long)) == 1.0


def test_one_command_rolls_back_without_a_restart(desk: Desk) -> None:
    before, since = desk.pids(), newest(desk)
    desk.tickhouse("models", "rollback", "--by", "bob")
    waited(lambda: predicted_by(desk, desk.long, since) > 5, "the old champion's predictions")
    assert desk.pids() == before


def test_a_champion_that_cannot_be_loaded_is_not_taken_over(desk: Desk) -> None:
    """The stream goes on with what it has, and says so."""
    broken = champion(0.5, 0.4)
    registry = Registry(desk.home / "models")
    registry.save(broken)
    (graph,) = broken.members.values()
    file = desk.home / "models" / f"{name_of(graph)}.onnx"
    file.chmod(0o644)
    file.write_bytes(b"not a graph")
    since = newest(desk)
    subprocess.run(
        [*_TICKHOUSE, "models", "promote", broken.card.sha256[:12], "--by", "bob"],
        env=desk.environment, capture_output=True, check=False,
    )  # fmt: skip
    waited(lambda: predicted_by(desk, desk.long, since) > 5, "predictions by the one that works")
    assert predicted_by(desk, broken.card.sha256) == 0
