"""Models at work through a real warehouse: quality, drift, the rule's word, MLflow's mirror."""

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import dagster as dg
import msgspec
import numpy as np
import pytest

from adapters.clickhouse.native import TEXT, TIME, Column
from adapters.clickhouse.writer import Writer
from cli.commands import models as command
from core.clock import ManualClock
from core.sections import (
    ClickhouseSettings,
    ModelSettings,
    RegistrySettings,
    RunSettings,
    SignalSettings,
)  # fmt: skip
from core.settings import Settings
from core.trading_control import current, halt, path_in
from execution.risk.trading_state import TradingState
from features.catalog import FEATURE_SET_HASH, NAMES
from models.monitoring.outcomes import read_outcomes
from models.monitoring.patrol import compare_rivals, patrol
from models.monitoring.tracking import Tracking
from models.serving.artifact import Artifact
from models.serving.card import Span
from models.serving.predictor import Predictor
from models.serving.registry import Registry
from models.training.barriers import ANSWERS
from models.training.dataset import Dataset
from models.training.labels import LabelRule
from models.training.train import fit
from orchestration.defs.model_monitoring import model_comparison, model_watch
from orchestration.resources import Tickhouse
from streams.signal_rows import prediction_rows
from tests.support.datasets import planted_dataset
from tests.support.http_receiver import Receiver
from tests.support.warehouse_server import Warehouse, migrated

pytestmark = pytest.mark.heavy(suite="models")

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
    warehouse = migrated(tmp_path_factory.mktemp("warehouse"), NAMES)
    try:
        registry = Registry(warehouse.home / "models")
        for model in two:
            registry.save(model)
        registry.promote(two[0].card.sha256, "ann")
        registry.appoint(two[1].card.sha256)
        data = planted_dataset(seed=8)
        data.rows[100:110, :20] = 99.0  # outside of what anybody was trained on
        store(warehouse, data, two)
        yield warehouse
    finally:
        warehouse.stop()


def store(
    server: Warehouse, data: Dataset, models: list[Artifact],
    tables: tuple[str, ...] = ("prediction", "shadow_prediction"), run_id: str = RUN.run_id,
) -> None:  # fmt: skip
    key = [
        Column("run_id", TEXT, run_id),
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
    for table, model in zip(tables, models, strict=True):
        predictions = Predictor(model).predict(data.rows)
        columns = prediction_rows(table, key, model.card.sha256, predictions).columns
        writer.insert(table, list(columns))
    writer.close()


def settings_of(server: Warehouse, **registry: object) -> Settings:
    return Settings(
        home=str(server.home),
        run=RUN,
        clickhouse=ClickhouseSettings(credentials=server.credentials),
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


def test_watching_keeps_what_models_learnt_in_their_table(
    server: Warehouse, two: list[Artifact]
) -> None:
    server.client.command("TRUNCATE TABLE model")
    assert run(server, "watch") == 0
    kept = server.client.query(
        "SELECT model, horizon_s, labels, label_spreads, members, member_weights FROM model FINAL"
    ).result_rows
    assert {row[0]: row[1:4] for row in kept} == {m.card.sha256: (5.0, "horizon", 1.0) for m in two}
    weights = {row[0]: dict(zip(*row[4:], strict=True)) for row in kept}
    assert weights == {m.card.sha256: {c.name: c.weight for c in m.card.members} for m in two}


def test_members_by_their_weights_are_what_was_predicted_and_a_veto_has_a_name(
    server: Warehouse, two: list[Artifact]
) -> None:
    assert run(server, "watch") == 0, "the table `model` has the weights"
    names = {m.card.sha256: {c.name for c in m.card.members} for m in two}
    for table, role in (("prediction", "champion"), ("shadow_prediction", "challenger")):
        of_role = server.client.query(
            f"""
            SELECT
                any(p.model), groupUniqArrayArray(member_names), count(), countIf(p.veto),
                max(abs(p.p_up - by_weight)), countIf(p.veto != vetoed), countIf(spoke != 1)
            FROM {table} AS p FINAL
            INNER JOIN (
                SELECT
                    source, symbol, ts_event, seq, groupArray(member) AS member_names,
                    sum(if(absent, 0, weight_used * p_up)) AS by_weight, max(veto) AS vetoed,
                    round(sum(weight_used), 9) AS spoke
                FROM prediction_member
                WHERE run_id = '{RUN.run_id}' AND role = '{role}'
                GROUP BY source, symbol, ts_event, seq
            ) AS m USING (source, symbol, ts_event, seq)
            """
        ).result_rows
        ((model, members, rows, vetoed, difference, otherwise, unspoken),) = of_role
        assert set(members) == names[model]
        assert 0 < vetoed < rows
        assert difference < 1e-6
        assert (otherwise, unspoken) == (0, 0)


@pytest.mark.parametrize("labels", ["horizon", "barrier"])
def test_predictions_are_answered_by_the_label_their_model_learnt(
    server: Warehouse, two: list[Artifact], labels: Literal["horizon", "barrier"]
) -> None:
    data, learnt = planted_dataset(seed=8), ModelSettings(5.0, labels=labels, label_spreads=2.0)
    span = Span(0, int(data.time_us[-1]) + 1)
    outcomes = read_outcomes(
        client=server.client, run_id=RUN.run_id, model=two[0].card.sha256, role="champion",
        span=span, manifest=two[0].graphs.manifest, signals=SignalSettings(), learnt=learnt,
    )  # fmt: skip
    rule = LabelRule(5_000_000, learnt.label_spreads)
    answers = ANSWERS[labels](data.feed, data.time_us, data.mid, data.spread, rule)
    np.testing.assert_array_equal(outcomes.label, answers.label)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # Dagster of pydantic
def test_the_daily_job_tells_people_once_of_a_proposal_and_promotes_nothing(
    server: Warehouse, two: list[Artifact], tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    champion, challenger = (m.card.sha256 for m in two)
    registry = Registry(tmp_path / "models")
    for model in two:
        registry.save(model)
    registry.promote(champion, "ann")
    server.reached(monkeypatch)
    monkeypatch.chdir(tmp_path)
    for name, value in {
        "HOME": str(tmp_path), "RUN__RUN_ID": RUN.run_id,
        "RUN__MODE": RUN.mode, "REGISTRY__URL": "none", "REGISTRY__MIN_DECISIONS": "10",
        "SIGNALS__THRESHOLD": "0.75", "SIGNALS__SLIPPAGE_BP": "0",
    }.items():  # fmt: skip
        monkeypatch.setenv(f"TICKHOUSE_{name}", value)
    with Receiver() as receiver:
        monkeypatch.setenv("TICKHOUSE_ALERTS__WEBHOOK", receiver.url)
        assert daily() == {"word": "no champion, or no challenger"}
        registry.appoint(challenger)
        first, second = daily(), daily()
        alerts = [body for body in receiver.received if body.get("job") == "comparison_job"]
    proposed = f"proposed: {challenger[:12]} instead of {champion[:12]}: better Brier score"
    assert first["word"].startswith(proposed)
    assert (first["people"], second["people"]) == ("told now", "not told, or before")
    assert second["word"] == first["word"]
    assert len(alerts) == 1
    assert f"tickhouse models promote {challenger[:12]} --by YOU" in alerts[0]["text"]
    assert (alerts[0]["model"], registry.history()[-1].sha256) == (challenger, champion)
    capsys.readouterr()
    assert run(server, "watch") == 0
    said = " ".join(capsys.readouterr().out.split())
    assert f"PROPOSED: {challenger[:12]} instead of {champion[:12]}" in said
    kinds = "SELECT kind, count() FROM model_event FINAL GROUP BY kind"
    assert server.client.query(kinds).result_rows == [("proposed", 1)]


def test_models_that_learnt_different_things_are_not_proposed(
    server: Warehouse, two: list[Artifact], tmp_path: Path
) -> None:
    other = fit(
        planted_dataset(), "r", ModelSettings(10.0, 30, 3, threads=1, members=("xgboost",)),
        simulated=True,
    )  # fmt: skip
    registry = Registry(tmp_path / "models")
    registry.save(two[0])
    registry.save(other)
    registry.promote(two[0].card.sha256, "ann")
    registry.appoint(other.card.sha256)
    compared = compare_rivals(server.client, registry, settings_of(server))
    assert not compared.proposed
    assert "different horizons or labels" in compared.reason


def daily() -> dict[str, str]:
    done = dg.materialize([model_comparison], resources={"tickhouse": Tickhouse()})
    (event,) = done.get_asset_materialization_events()
    metadata = event.materialization.metadata
    return {name: str(metadata[name].value) for name in ("word", "people") if name in metadata}


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
    events = [event for event in events if event[0] != "proposed"]
    assert [event[0] for event in events] == ["drift"]
    assert "columns beyond PSI 0.25" in events[0][1]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # Dagster of pydantic
def test_the_hourly_job_tells_people_and_reduces_what_execution_obeys(
    server: Warehouse, two: list[Artifact], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Dagster's own run of the asset, a real receiver, and execution's reading of the word."""
    path_in(server.home).unlink(missing_ok=True)
    monkeypatch.chdir(tmp_path)
    for name, value in {
        "HOME": str(server.home), "CLICKHOUSE__URL": server.url, "RUN__RUN_ID": RUN.run_id,
        "RUN__MODE": RUN.mode, "REGISTRY__URL": "none",
    }.items():  # fmt: skip
        monkeypatch.setenv(f"TICKHOUSE_{name}", value)
    until_us = 10**12 + 7_000 * 1_000_000  # behind the rows that moved
    span = {"hours": 2.0, "until_us": until_us}
    quiet = {"hours": 2.0, "until_us": 6_000 * 1_000_000}
    with Receiver() as receiver:
        monkeypatch.setenv("TICKHOUSE_ALERTS__WEBHOOK", receiver.url)
        assert hourly(quiet)["drift"] == "none beyond the threshold"
        assert hourly(span)["trading"] == "untouched"
        assert current(server.home) is None
        monkeypatch.setenv("TICKHOUSE_REGISTRY__DRIFT_REDUCES", "true")
        done = hourly(span)
        alerts = [body for body in receiver.received if body.get("job") == "watch_job"]
    assert done["trading"].startswith("Trading is reducing")
    assert alerts
    assert "columns beyond PSI 0.25" in alerts[0]["text"]
    assert alerts[0]["model"] == two[0].card.sha256
    state = TradingState(path_in(server.home))
    assert (state.current.state, state.current.by) == ("reducing", "models watch")
    assert hourly(span)["trading"] == "Trading is reducing already."
    halt(server.home, "ann", "for good", ManualClock(2))
    assert hourly(span)["trading"] == "Trading is halted already."
    held = current(server.home)
    assert held is not None
    assert held.state == "halted", "a watch never loosens what a person ordered"


def hourly(config: dict[str, float]) -> dict[str, str]:
    run_config = {"ops": {"model_watch": {"config": config}}}
    resources = {"tickhouse": Tickhouse()}
    done = dg.materialize([model_watch], resources=resources, run_config=run_config)
    (event,) = done.get_asset_materialization_events()
    metadata = event.materialization.metadata
    return {name: str(metadata[name].value) for name in ("drift", "trading")}


def test_mlflow_shows_models_and_aliases(tmp_path: Path, two: list[Artifact]) -> None:
    registry = Registry(tmp_path / "models")
    registry.save(two[0])
    tracking = Tracking(tmp_path, "")
    assert tracking.mirror(registry) == 1
    assert tracking.aliases() == {}
    (version,) = tracking._client.search_model_versions("name='tickhouse'")
    shown = tracking._client.get_run(str(version.run_id)).data
    assert shown.tags["sha256"] == two[0].card.sha256
    assert shown.params["rounds"] == str(two[0].card.settings.rounds)
    assert shown.metrics["log_loss"] == two[0].card.metrics.log_loss
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
        "import streams.predict, streams.champion, streams.decide;"
        "import models.serving.in_use, cli.commands.train"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)


def test_a_model_that_a_strategy_names_is_watched_and_people_are_told_of_its_drift(
    server: Warehouse,
) -> None:
    learnt = ModelSettings(5.0, 3, 2, 0.1, threads=1, members=("xgboost",))
    own = fit(planted_dataset(), "r", learnt, simulated=True)
    registry, data = Registry(server.home / "models"), planted_dataset(seed=9)
    registry.save(own)
    data.rows[:, :20] += 3.0
    store(server, data, [own], ("named_prediction",), "desk")
    settings = msgspec.structs.replace(
        settings_of(server), run=msgspec.structs.replace(RUN, run_id="desk")
    )
    result = patrol(server.client, registry, Span(0, 1 << 62), settings)
    model = own.card.sha256
    assert {"champion", f"named {model[:12]}"} <= set(result.watched)
    assert list(result.alerts) == [model]
    assert result.alert.startswith(f"{model[:12]}: ")
    roles = server.client.query("SELECT DISTINCT role FROM model_quality WHERE run_id = 'desk'")
    assert roles.result_rows == [("named",)]
