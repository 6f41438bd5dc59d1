"""Models at work through a real warehouse: quality, drift, the rule's word, MLflow's mirror."""

import argparse
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from adapters.clickhouse import migrate
from adapters.clickhouse.native import TEXT, TIME, Column
from adapters.clickhouse.writer import Writer
from cli import models as command
from core.settings import ModelSettings, RegistrySettings, RunSettings, Settings, SignalSettings
from core.trading_control import current
from features.catalog import FEATURE_SET_HASH, NAMES
from models.artifact import Artifact
from models.dataset import Dataset
from models.predictor import Predictor
from models.registry import Registry
from models.tracking import Tracking
from models.train import fit
from streams.signal_rows import prediction_rows
from tests.datasets import planted_dataset
from tests.warehouse_server import Warehouse

RUN = RunSettings(run_id="live", mode="demo", account="simulated")


@pytest.fixture(scope="module")
def two() -> list[Artifact]:
    """A poor champion, and a better challenger."""
    settings = [
        ModelSettings(5.0, 2, 1, 0.02, threads=1, members=("xgboost",)),
        ModelSettings(5.0, 30, 3, threads=1, members=("xgboost", "linear")),
    ]
    return [fit(planted_dataset(), "r", one, simulated=True) for one in settings]


@pytest.fixture(scope="module")
def server(two: list[Artifact], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    warehouse = Warehouse(tmp_path_factory.mktemp("warehouse"))
    warehouse.start()
    try:
        migrate.apply(warehouse.client, NAMES)
        registry = Registry(warehouse.home / "models")
        for model in two:
            registry.save(model)
        registry.promote(two[0].card.sha256, "ann")
        registry.appoint(two[1].card.sha256)
        store(warehouse, planted_dataset(seed=8), two)
        yield warehouse
    finally:
        warehouse.stop()


def store(server: Warehouse, data: Dataset, two: list[Artifact]) -> None:
    key = [
        Column("run_id", TEXT, RUN.run_id),
        Column("mode", TEXT, RUN.mode),
        Column("source", TEXT, "sim"),
        Column("symbol", TEXT, "TEST"),
        Column("ts_event", TIME, data.time_us),
        Column("seq", "UInt32", 0),
        Column("feature_set_hash", TEXT, FEATURE_SET_HASH),
    ]
    features = [Column(n, "Float32", v) for n, v in zip(NAMES, data.rows.T, strict=True)]
    quote = [Column("mid", "Float64", data.mid), Column("spread", "Float64", data.spread)]
    writer = Writer(server.settings)
    writer.insert("feature", [*key, *quote, *features])
    for table, model in zip(("prediction", "shadow_prediction"), two, strict=True):
        judged = Predictor(model).judge(data.rows)
        columns = prediction_rows(table, key, model.card.sha256, judged).columns
        writer.insert(table, list(columns))
    writer.close()


def settings_of(server: Warehouse, **registry: object) -> Settings:
    return Settings(
        home=str(server.home),
        run=RUN,
        signals=SignalSettings(threshold=0.75, slippage_bp=0.0),
        registry=RegistrySettings(url="none", min_decisions=10, **registry),  # type: ignore[arg-type]
    )


def run(server: Warehouse, *words: str, **registry: object) -> int:
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    return command.run(parser.parse_args(words), settings_of(server, **registry))


def test_watching_writes_quality_of_every_member_and_drift_of_every_column(
    server: Warehouse, two: list[Artifact]
) -> None:
    for _ in range(2):  # the same span again: the same rows
        assert run(server, "watch") == 0
    quality = server.client.query(
        "SELECT role, member, predictions, hit_rate, brier, brier_shares FROM model_quality FINAL"
        " ORDER BY role, member"
    ).result_rows
    assert [row[:2] for row in quality] == [
        ("challenger", ""), ("challenger", "linear"), ("challenger", "xgboost"),
        ("champion", ""), ("champion", "xgboost"),
    ]  # fmt: skip
    assert all(0 < row[2] < 6_000 and 0 < row[3] < 1 for row in quality)
    assert quality[0][4] < quality[3][4] < quality[3][5]
    drift = server.client.query(
        "SELECT count(), uniqExact(name), quantile(0.9)(psi) FROM model_drift FINAL"
        " WHERE model = {m:String}",
        parameters={"m": two[0].card.sha256},
    ).result_rows
    assert drift[0][:2] == (len(NAMES) + 2, len(NAMES) + 2)
    assert drift[0][2] < 0.25


def test_the_rule_proposes_a_person_promotes_and_one_command_rolls_back(
    server: Warehouse, two: list[Artifact], capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = (m.card.sha256 for m in two)
    assert run(server, "compare") == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "PROPOSED: better Brier score (p = 0.000)" in said
    assert run(server, "promote", second[:12], "--by", "bob") == 0
    assert "at most 50% of a full position" in " ".join(capsys.readouterr().out.split())
    statuses = dict(server.client.query("SELECT model, status FROM model FINAL").result_rows)
    assert statuses == {first: "retired", second: "champion"}
    assert run(server, "rollback") == 0
    registry = Registry(server.home / "models")
    assert registry.history()[-1].sha256 == first
    lines = (server.home / "audit.log").read_text().splitlines()
    assert [msgspec.json.decode(line)["action"] for line in lines] == ["promote", "rollback"]


def test_drift_is_an_event_and_may_reduce_trading(server: Warehouse, two: list[Artifact]) -> None:
    moved = planted_dataset(seed=9)
    moved = moved._replace(time_us=moved.time_us + 10**12)
    moved.rows[:, 3:20] += 3.0
    moved.rows[:, NAMES.index("spread_bp")] = moved.spread / moved.mid * 1e4
    store(server, moved, two)
    words = ("watch", "--from", "1970-01-12T00:00:00")
    assert run(server, *words) == 1
    assert current(server.home) is None
    assert run(server, *words, drift_reduces=True) == 1
    control = current(server.home)
    assert control is not None
    assert control.state == "reducing"
    events = server.client.query(
        "SELECT kind, detail FROM model_event FINAL WHERE model = {m:String}",
        parameters={"m": two[0].card.sha256},
    ).result_rows
    assert [event[0] for event in events] == ["drift"]
    assert "columns beyond PSI 0.25" in events[0][1]


def test_mlflow_shows_models_and_aliases(tmp_path: Path, two: list[Artifact]) -> None:
    registry = Registry(tmp_path / "models")
    registry.save(two[0])
    tracking = Tracking(tmp_path, "")
    assert tracking.mirror(registry) == 1
    assert tracking.aliases() == {}
    registry.save(two[1])
    registry.promote(two[0].card.sha256, "ann")
    registry.appoint(two[1].card.sha256)
    again = Tracking(tmp_path, "")
    assert again.mirror(registry) == 1
    first, second = (m.card.sha256 for m in two)
    assert again.aliases() == {"champion": first, "challenger": second}
    registry.promote(second, "ann")
    again.mirror(registry)
    assert again.aliases() == {"champion": second}
    versions = again._client.search_model_versions("name='tickhouse'")
    assert {v.tags["data_hash"] for v in versions} == {m.card.data_hash for m in two}


def test_the_stream_imports_no_mlflow() -> None:
    import subprocess
    import sys

    program = (
        "import sys; sys.modules['mlflow'] = sys.modules['optuna'] = sys.modules['jax'] = None;"
        "import streams.predict, streams.champion, streams.decide, models.in_use, cli.train"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
