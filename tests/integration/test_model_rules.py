"""Marts judge each model by the horizon and label it learnt: compared with training's own code.

Ticks of two hours with silences, and five models that predict and signal on the same of them.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pytest

from adapters.clickhouse import marts
from adapters.clickhouse.native import TEXT, TIME, Column
from adapters.clickhouse.rows import tick_columns
from adapters.clickhouse.writer import Writer
from core.contracts.tick import TICK, TickArray
from core.home_users import DBT
from features.catalog import NAMES
from models.training.barriers import ANSWERS
from models.training.labels import LabelRule, MidSeries
from tests.integration.analysed import dbt
from tests.support.warehouse_server import Warehouse, migrated

pytestmark = [pytest.mark.process, pytest.mark.heavy(suite="models")]

MARTS = "tickhouse_marts"
NOON_MSC = round(datetime(2014, 5, 6, 12, tzinfo=UTC).timestamp() * 1000)
SPREAD = 0.00003
OUTCOMES = np.array(["down", "flat", "up", ""])  # by the label, -1 the last
RISE = (0.2, 0.3, 0.5)


class Learnt(NamedTuple):
    """What a model learnt; `kept`: what the table `model` has of it."""

    name: str
    horizon_s: float
    labels: str
    spreads: float
    kept: str = "card"


MODELS = (
    Learnt("short", 5.0, "horizon", 1.0),
    Learnt("long", 600.0, "horizon", 0.5),
    Learnt("barrier", 90.0, "barrier", 1.5),
    Learnt("before", 60.0, "horizon", 1.0, kept="nothing"),
    Learnt("unlisted", 60.0, "horizon", 1.0, kept="no row"),
)


def quotes() -> TickArray:
    """Two hours of a feed. No move is as wide as a barrier, so that no last bit decides."""
    random = np.random.default_rng(4)
    ticks = np.zeros(12_000, TICK)
    pause = random.integers(1, 1_200, len(ticks))
    pause[[4_000, 9_000]] = 400_000, 200_000  # a closed market, and a quiet one
    ticks["time_msc"] = NOON_MSC + np.cumsum(pause)
    ticks["bid"] = (50_000 + np.cumsum(random.integers(-1, 2, len(ticks)))) * 2e-5
    ticks["ask"] = ticks["bid"] + SPREAD
    ticks["ts_recv_us"] = ticks["time_msc"] * 1000
    return ticks


def expected(ticks: TickArray, at: npt.NDArray[np.int64], model: Learnt) -> list[str]:
    """What training says came of the ticks at `at`."""
    times, mids = ticks["time_msc"] * 1000, (ticks["bid"] + ticks["ask"]) / 2
    feed, spread = np.zeros(len(at), np.int32), np.full(len(at), SPREAD)
    rule = LabelRule(round(model.horizon_s * 1e6), model.spreads)
    path = (MidSeries(times, mids),)
    answers = ANSWERS[model.labels](feed, times[at], mids[at], spread, rule, path)
    return OUTCOMES[answers.label].tolist()  # type: ignore[no-any-return]


@pytest.fixture(scope="module")
def predicted() -> tuple[TickArray, npt.NDArray[np.int64]]:
    return quotes(), np.arange(0, 12_000, 7)


@pytest.fixture(scope="module")
def server(
    predicted: tuple[TickArray, npt.NDArray[np.int64]], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Warehouse]:
    warehouse = migrated(tmp_path_factory.mktemp("home"), NAMES)
    try:
        store(warehouse, *predicted)
        marts = ("+fct_model_performance", "+fct_signal_outcome", "+dim_model")
        settings = warehouse.settings_of(DBT)
        done = dbt(warehouse.home, settings, "run", "--select", *marts, mode="live")
        assert done.returncode == 0, done.stdout[-4000:]
        yield warehouse
    finally:
        warehouse.stop()


def store(server: Warehouse, ticks: TickArray, at: npt.NDArray[np.int64]) -> None:
    writer = Writer(server.settings)
    writer.insert("tick", tick_columns("sim", "TEST", ticks))
    for model in MODELS:
        writer.insert("prediction", prediction(model, ticks, at))
        writer.insert("signal", signal(model, ticks, at))
    writer.close()
    for model in MODELS:
        if model.kept == "card":
            rule = (model.horizon_s, model.labels, model.spreads)
            row, names = (model.name, *rule), "(model, horizon_s, labels, label_spreads)"
            server.client.command(f"INSERT INTO model {names} VALUES {row}")
        elif model.kept == "nothing":
            server.client.command(f"INSERT INTO model (model) VALUES ('{model.name}')")


def key(model: Learnt, ticks: TickArray, at: npt.NDArray[np.int64]) -> list[Column]:
    """One run per model: a prediction's name does not tell models apart."""
    return [
        Column("run_id", TEXT, model.name), Column("mode", TEXT, "live"),
        Column("source", TEXT, "sim"), Column("symbol", TEXT, "TEST"),
        Column("ts_event", TIME, ticks["time_msc"][at] * 1000), Column("seq", "UInt32", 0),
        Column("model", TEXT, model.name),
    ]  # fmt: skip


def prediction(model: Learnt, ticks: TickArray, at: npt.NDArray[np.int64]) -> list[Column]:
    said = zip(("p_down", "p_flat", "p_up"), RISE, strict=True)
    return [*key(model, ticks, at), *(Column(n, "Float32", p) for n, p in said)]


def signal(model: Learnt, ticks: TickArray, at: npt.NDArray[np.int64]) -> list[Column]:
    mid = (ticks["bid"][at] + ticks["ask"][at]) / 2
    return [
        *key(model, ticks, at),
        Column("signal_id", "String", [f"{model.name}.{n}" for n in at]),
        Column("prediction_id", "String", [f"p.{n}" for n in at]),
        Column("target", "Float64", 1.0), Column("reference_price", "Float64", mid),
        Column("ts_horizon", TIME, ticks["time_msc"][at] * 1000 + 60_000_000),
    ]  # fmt: skip


def rows(server: Warehouse, sql: str) -> list[dict[str, Any]]:
    return list(server.client.query(sql).named_results())


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_a_mart_judges_a_model_by_what_it_learnt(
    server: Warehouse, predicted: tuple[TickArray, npt.NDArray[np.int64]], model: Learnt
) -> None:
    outcomes = expected(*predicted, model)
    known = [outcome for outcome in outcomes if outcome]
    performance = f"SELECT * FROM {MARTS}.fct_model_performance WHERE model = '{model.name}'"
    (mart,) = rows(server, performance)
    assert (mart["predictions"], mart["labelled"]) == (len(outcomes), len(known))
    assert 0 < len(known) < len(outcomes)
    assert mart["share_up"] == pytest.approx(known.count("up") / len(known))
    assert mart["share_down"] == pytest.approx(known.count("down") / len(known))
    assert mart["accuracy"] == mart["share_up"], "a rise is always said"
    rule = (mart["horizon_s"], mart["labels"], mart["label_spreads"], mart["rule_from"])
    source = "card" if model.kept == "card" else "assumed"
    assert rule == (model.horizon_s, model.labels, model.spreads, source)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_a_signal_is_judged_by_what_its_model_learnt(
    server: Warehouse, predicted: tuple[TickArray, npt.NDArray[np.int64]], model: Learnt
) -> None:
    outcome = "model_outcome, model_horizon_s, model_labels, model_was_right"
    judged = rows(
        server,
        f"SELECT {outcome} FROM {MARTS}.fct_signal_outcome WHERE model = '{model.name}'"
        " ORDER BY ts_event",
    )
    assert [row["model_outcome"] for row in judged] == expected(*predicted, model)
    rules = {(row["model_horizon_s"], row["model_labels"]) for row in judged}
    assert rules == {(model.horizon_s, model.labels)}
    right = {(row["model_outcome"], row["model_was_right"]) for row in judged}
    assert right == {("up", True), ("flat", False), ("down", False), ("", None)}


def test_models_of_before_are_listed_with_what_is_assumed_of_them(server: Warehouse) -> None:
    listed = rows(server, f"SELECT model, horizon_s, labels, rule_from FROM {MARTS}.dim_model")
    rules = {row.pop("model"): tuple(row.values()) for row in listed}
    assert rules["before"] == (60.0, "horizon", "assumed")
    assert rules["barrier"] == (90.0, "barrier", "card")
    assert "unlisted" not in rules


def test_a_mart_of_an_earlier_version_gains_the_columns_and_keeps_its_days(
    server: Warehouse,
) -> None:
    """Its days were judged at 60 s, and `rule_from` stays empty until they are built again."""
    table = f"{MARTS}.fct_model_performance"
    gone = ("horizon_s", "labels", "label_spreads", "rule_from")
    server.client.command(
        f"ALTER TABLE {table} " + ", ".join(f"DROP COLUMN {name}" for name in gone)
    )
    statement = marts.statements()["rpt_lineage"].replace(marts.DATABASE, MARTS, 1)
    for command in (
        statement, f"ALTER TABLE {MARTS}.rpt_lineage DROP COLUMN features_hash",
        f"INSERT INTO {MARTS}.rpt_lineage (report_date, run_id) VALUES ('2020-01-02', 'old')",
    ):  # fmt: skip
        server.client.command(command)
    chosen = ("--select", "fct_model_performance", "rpt_lineage")
    done = dbt(server.home, server.settings_of(DBT), "run", *chosen, mode="live")
    assert done.returncode == 0, done.stdout[-4000:]
    rules = rows(server, f"SELECT DISTINCT rule_from, horizon_s FROM {table}")
    assert rules == [{"rule_from": "", "horizon_s": 0.0}]
    kept = rows(server, f"SELECT run_id, features_hash FROM {MARTS}.rpt_lineage")
    assert kept == [{"run_id": "old", "features_hash": ""}]
