"""`tickhouse replay` on generated ticks: the numbers agree, to the bit."""

import subprocess
import sys

import numpy as np
import pytest

from core.contracts.tick import TICK
from features.catalog import NAMES
from features.kernel import features_of
from features.peers import Market, PeerRows
from features.state import new_state
from tests.e2e.replay_runs import cut, environment, replay, warehouse_on

pytestmark = [pytest.mark.process, pytest.mark.slow]

TRADING = ["--strategy", "scripted", "--train-first", "0.4"]


@pytest.fixture(scope="module")
def files(recordings, tmp_path_factory):
    """Two feeds of the same hours around a release of US payrolls."""
    folder = tmp_path_factory.mktemp("ticks")
    return [
        str(cut(recordings / "ticks" / "EURUSD_oanda.parquet", folder, 52_000, 30_000)),
        str(cut(recordings / "ticks" / "XAUUSD_oanda.parquet", folder, 250_000, 60_000)),
    ]


@pytest.fixture(scope="module")
def first(files, tmp_path_factory):
    """A home and the result of its first replay."""
    home = tmp_path_factory.mktemp("home")
    return home, replay(home, [*files, *TRADING])


def test_everything_reconciles_and_every_stage_did_something(first):
    _, result = first
    assert result["reconciled"]
    assert result["ticks_read"] == result["ticks_stored"] == 90_000
    for key in ("bars", "features", "predictions", "signals", "orders", "fills"):
        assert result[key] > 0, key
    assert result["features"] > result["predictions"]
    for stage, values in result["latency_us"].items():
        assert values["max"] >= values["p50"] > 0, stage


def test_a_directory_and_a_missing_file_are_refused_by_name(tmp_path):
    for path in ("nowhere.parquet", str(tmp_path)):
        answer = subprocess.run(
            [sys.executable, "-m", "cli.main", "replay", path],
            env=environment(tmp_path / "home"),
            capture_output=True,
            text=True,
            check=False,
        )
        assert answer.returncode == 2
        assert path in answer.stderr
        assert "Traceback" not in answer.stderr


def test_features_computed_from_stored_ticks_have_the_bits_of_the_stream(first):
    home, result = first
    with warehouse_on(home) as client:
        computed = {}
        for symbol in ("EURUSD", "XAUUSD"):
            ticks = stored_ticks(client, "oanda", symbol)
            computed[symbol] = (ticks, *features_of(new_state(), ticks, sample_ms=1000))
        Market().fill_together(
            [PeerRows(s, t, t["time_msc"][i], rows) for s, (t, rows, i) in computed.items()]
        )
        for symbol in computed:
            ticks, features, index = computed[symbol]
            stored = client.query(
                f"SELECT toUnixTimestamp64Milli(ts_event), seq, {', '.join(NAMES)} "
                "FROM feature FINAL WHERE run_id = {run:String} AND symbol = {symbol:String} "
                "ORDER BY ts_event, seq",
                parameters={"run": result["run_id"], "symbol": symbol},
                column_oriented=True,
            ).result_columns
            assert ticks["time_msc"][index].tolist() == list(stored[0])
            assert ticks["seq"][index].tolist() == list(stored[1])
            for name, column, values in zip(NAMES, features.T, stored[2:], strict=True):
                expected = np.array(values, np.float32)
                np.testing.assert_array_equal(column, expected, err_msg=f"{symbol} {name}")


def stored_ticks(client, source, symbol):
    """The ticks of a feed as the warehouse has them, dtype TICK."""
    columns = client.query(
        "SELECT toUnixTimestamp64Milli(ts_event), seq, quality, toFloat64(bid), toFloat64(ask), "
        "toFloat64(last), volume, flags "
        "FROM tick FINAL WHERE source = {source:String} AND symbol = {symbol:String} "
        "ORDER BY ts_event, seq",
        parameters={"source": source, "symbol": symbol},
        column_oriented=True,
    ).result_columns
    ticks = np.zeros(len(columns[0]), TICK)
    fields = ("time_msc", "seq", "quality", "bid", "ask", "last", "volume", "flags")
    for name, values in zip(fields, columns, strict=True):
        ticks[name] = values
    return ticks
