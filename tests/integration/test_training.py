"""Feature rows through a real warehouse into a model, and `tickhouse train` on top of it."""

import argparse
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from adapters.clickhouse.native import TEXT, TIME, Column
from adapters.clickhouse.rows import tick_columns
from adapters.clickhouse.tick_reader import read_ticks
from adapters.clickhouse.writer import Writer
from cli.commands import models as models_command
from cli.commands import train as train_command
from core.errors import ModelError, UnavailableError
from core.sections import ClickhouseSettings, ModelSettings, RegistrySettings
from core.settings import Settings, load
from features.catalog import FEATURE_SET_HASH, NAMES
from models.serving.card import Span
from models.serving.registry import Registry
from models.training.dataset import Dataset, read_dataset, rows_as_of
from models.training.parts import answered
from models.training.train import fit
from tests.support.datasets import recorded_dataset
from tests.support.recordings import recorded_ticks
from tests.support.warehouse_server import Warehouse, migrated

INSERTS = itertools.count()
ALL = Span(0, 1 << 62)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    warehouse = migrated(tmp_path_factory.mktemp("warehouse"), NAMES)
    try:
        for _ in range(2):  # a retry stores every row a second time
            store(warehouse, recorded_dataset(), "replay-1", "replay", "oanda")
        store(warehouse, recorded_dataset("NZDUSD_oanda"), "replay-1", "replay", "other")
        store(warehouse, recorded_dataset(), "demo-1", "demo", "sim")
        yield warehouse
    finally:
        warehouse.stop()


def store(server: Warehouse, data: Dataset, run_id: str, mode: str, source: str) -> None:
    columns = [
        Column("run_id", TEXT, run_id),
        Column("mode", TEXT, mode),
        Column("source", TEXT, source),
        Column("symbol", TEXT, data.feeds[0].split("_")[0]),
        Column("ts_event", TIME, data.time_us),
        Column("seq", "UInt32", 0),
        Column("feature_set_hash", TEXT, FEATURE_SET_HASH),
        Column("mid", "Float64", data.mid),
        Column("spread", "Float64", data.spread),
        *(Column(n, "Float32", v) for n, v in zip(NAMES, data.rows.T, strict=True)),
    ]
    writer = Writer(server.settings)
    token = f"insert {next(INSERTS)}"  # each its own: only the table removes repeats
    writer.insert("feature", columns, token)
    writer.close()


def store_ticks(server: Warehouse, ticks: np.ndarray, source: str, symbol: str) -> None:
    writer = Writer(server.settings)
    writer.insert("tick", tick_columns(source, symbol, ticks), f"insert {next(INSERTS)}")
    writer.close()


def settings_of(server: Warehouse) -> Settings:
    return Settings(
        home=str(server.home),
        clickhouse=ClickhouseSettings(credentials=server.credentials),
        registry=RegistrySettings(url="none"),
        models=ModelSettings(rounds=10, members=("xgboost",)),
    )


def parsed(command: object, *words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)  # type: ignore[attr-defined] # a command's module
    return parser.parse_args(words)


def test_rows_come_back_with_the_bits_they_were_stored_with(server: Warehouse) -> None:
    stored = recorded_dataset()
    dataset = read_dataset(server.client, "replay-1", ALL, ["oanda"])
    assert dataset.feeds == ("oanda.EURUSD",)
    assert not dataset.simulated
    for name in ("rows", "time_us", "mid", "spread", "feed"):
        assert getattr(dataset, name).tobytes() == getattr(stored, name).tobytes(), name


def test_span_and_sources_choose_the_rows(server: Warehouse) -> None:
    time = recorded_dataset().time_us
    dataset = read_dataset(server.client, "replay-1", Span(int(time[100]), int(time[200])))
    assert dataset.feeds == ("oanda.EURUSD", "other.NZDUSD")
    first = dataset.time_us[dataset.feed == 0]
    assert first.tolist() == time[100:200].tolist()
    assert len(read_dataset(server.client, "another run", ALL).rows) == 0
    assert read_dataset(server.client, "demo-1", ALL).simulated


def test_a_dataset_is_named_by_what_was_asked_for(server: Warehouse) -> None:
    one, again = (read_dataset(server.client, "replay-1", ALL, ["oanda"]) for _ in range(2))
    assert (one.name, one.data_hash()) == (again.name, again.data_hash())
    others = [
        ("replay-1", ALL, ()),
        ("demo-1", ALL, ["oanda"]),
        ("replay-1", Span(0, 9), ["oanda"]),
    ]
    names = {read_dataset(server.client, *other).name for other in others}
    assert len(names | {one.name}) == 4


def test_rows_as_of_a_moment_are_the_newest_before_it(server: Warehouse) -> None:
    data = recorded_dataset()
    moments = np.array([5, data.time_us[0], data.time_us[9] + 1, data.time_us[10] - 1, 1 << 60])
    times, rows = rows_as_of(server.client, "replay-1", "oanda", "EURUSD", moments)
    at = np.searchsorted(data.time_us, moments, side="right") - 1
    assert times[0] == -1
    assert np.isnan(rows[0]).all()
    assert times[1:].tolist() == data.time_us[at[1:]].tolist()
    assert rows[1:].tobytes() == data.rows[at[1:]].tobytes()


def test_rows_are_answered_by_stored_ticks_and_by_none_after_the_span(server: Warehouse) -> None:
    """Against an oracle that looks at every recorded tick, one row after the other."""
    data, ticks = recorded_dataset(ticks=3_000), recorded_ticks("EURUSD_oanda")[:3_000]
    store(server, data, "ticked-1", "replay", "ticked")
    store_ticks(server, ticks, "ticked", "EURUSD")
    settings = ModelSettings(horizon_s=20.0)
    end_us = int(data.time_us[len(data.time_us) * 2 // 3])
    for span in (ALL, Span(0, end_us)):
        dataset = read_dataset(server.client, "ticked-1", span)
        label = answered(dataset, settings).answers.label
        known = [t for t in ticks if t["time_msc"] * 1000 < span.end_us]
        rows = zip(dataset.time_us, dataset.mid, dataset.spread, strict=True)
        expected = [oracle(known, *row) for row in rows]
        assert label.tolist() == expected
        assert {0, 1, 2, -1} == set(expected)


@pytest.mark.parametrize("name", ["XAUUSD_oanda", "BTCUSD_dukascopy"])
def test_stored_ticks_come_back_with_their_bits_at_any_price(server: Warehouse, name: str) -> None:
    """A price of gold times the price grid does not fit a Decimal of 18 digits."""
    ticks = recorded_ticks(name)[:2_000]
    ticks = ticks[np.diff(ticks["time_msc"], prepend=-1) > 0]  # one a millisecond, not numbered
    store_ticks(server, ticks, "priced", name)
    last = int(ticks["time_msc"][-1])
    read = np.concatenate(list(read_ticks(server.client, "priced", name, 0, last)))
    for column in ("time_msc", "seq", "bid", "ask", "last", "volume", "flags", "quality"):
        assert read[column].tobytes() == ticks[column].tobytes(), column


def oracle(ticks: list[Any], row_us: int, mid: float, spread: float) -> int:
    due_msc, newest, last, silent = row_us // 1000 + 20_000, None, None, False
    for tick in ticks:
        if tick["time_msc"] > due_msc:
            break
        if last is not None and tick["time_msc"] * 1000 > row_us:
            silent |= tick["time_msc"] - last > 300_000
        newest, last = tick, tick["time_msc"]
    if newest is None or silent or ticks[-1]["time_msc"] < due_msc:
        return -1
    if newest["time_msc"] <= due_msc - 20_000:
        return -1
    move = (newest["bid"] + newest["ask"]) / 2 - mid
    return 2 if move > spread else 0 if move < -spread else 1


def test_a_model_from_the_warehouse_equals_one_from_memory(server: Warehouse) -> None:
    settings = settings_of(server).models
    data = read_dataset(server.client, "replay-1", ALL, ["oanda"])
    memory = recorded_dataset()._replace(
        feeds=("oanda.EURUSD",), name=data.name, version=data.version
    )
    assert fit(data, "r", settings, False) == fit(memory, "r", settings, False)


def test_train_and_models_commands(server: Warehouse, capsys: pytest.CaptureFixture[str]) -> None:
    settings = settings_of(server)
    options = parsed(train_command, "--run", "replay-1", "--source", "oanda", "--promote", "ann")
    assert train_command.run(options, settings) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "AUC of direction" in shown
    assert "treat a direction AUC above 0.60 as a leak" in shown
    options = parsed(train_command, "--run", "demo-1", "--to", "2014-05-02T12:00:00")
    assert train_command.run(options, settings) == 0
    assert "never trade real money" in " ".join(capsys.readouterr().out.split())

    registry = Registry(server.home / "models")
    champion = registry.champion()
    assert champion is not None
    (other,) = {card.sha256 for card in registry.cards()} - {champion.card.sha256}
    options = parsed(models_command, "promote", other[:10], "--by", "bob")
    assert models_command.run(options, settings) == 0
    assert models_command.run(parsed(models_command), settings) == 0
    listed = capsys.readouterr().out
    assert "champion" in listed
    assert other[:12] in listed
    rows = server.client.query("SELECT model, status, simulated FROM model FINAL").result_rows
    assert sorted(rows) == sorted(
        [(other, "champion", True), (champion.card.sha256, "retired", False)]
    )
    assert models_command.run(parsed(models_command, "rollback"), settings) == 0
    assert registry.champion() == champion


def test_a_run_without_rows_is_said_and_without_a_warehouse_one_is_started_for_it(
    server: Warehouse, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(ModelError, match="too little data"):
        train_command.run(parsed(train_command, "--run", "nothing"), settings_of(server))
    home = load({"TICKHOUSE_HOME": str(tmp_path)})
    with pytest.raises(UnavailableError, match="nothing was ever stored"):
        train_command.run(parsed(train_command), home)
    stopped = Warehouse(tmp_path)
    stopped.start()
    stopped.stop()
    with pytest.raises(ModelError, match="too little data"):
        train_command.run(parsed(train_command), home)
    assert "one is started for this command" in capsys.readouterr().err
    assert not (tmp_path / "run" / "warehouse.url").exists()


def test_nan_survives_the_warehouse(server: Warehouse) -> None:
    dataset = read_dataset(server.client, "replay-1", ALL, ["oanda"])
    assert np.isnan(dataset.rows[:30, 0]).all()
