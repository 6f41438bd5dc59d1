"""A person's own features: what is refused, what the checks see, and that backtests serve them."""

from pathlib import Path

import numpy as np
import pytest

from adapters.simulator.markets.recorded import RecordedMarket
from adapters.simulator.markets.tickfile import ParquetTicks
from backtest.stages import FeatureStages
from core.contracts.tick import OUT_OF_ORDER, TICK
from core.errors import SettingsError
from core.settings import Settings
from features import own, own_check
from features.catalog import FEATURE_SET_HASH, NAMES
from features.own import feature_index
from features.own_columns import OwnColumns, OwnState, compiled, usable
from tests.e2e.replay_runs import cut

EXAMPLE = Path(__file__).resolve().parents[3] / "examples" / "features" / "range_position_1h.py"
FILE = """
import math
import numpy as np
from tickhouse import OwnFeature

FEATURE = OwnFeature("mine", "bp", "what it is", 60.0, (("count", "i8"), ("mean", "f8")))

def update(state, ticks, out):
    for n in range(len(ticks)):
        {body}
"""
GOOD = "state.count += 1; out[n] = math.log(ticks[n].bid) + state.count"


def written(folder, body=GOOD, text=FILE, name="mine"):
    path = folder / f"{name}.py"
    path.write_text(text.replace("{body}", body))
    return path


def some_ticks(count=3_000):
    random = np.random.default_rng(3)
    ticks = np.zeros(count, TICK)
    ticks["time_msc"] = 1_700_000_000_000 + np.cumsum(random.integers(1, 200, count))
    ticks["bid"] = 1.1 * np.exp(np.cumsum(random.normal(0, 1e-5, count)))
    ticks["ask"] = ticks["bid"] + 1e-4
    return ticks


def results(path, ticks=None):
    every = own_check.check(own.load(path), some_ticks() if ticks is None else ticks)
    return {result.name: result for result in every if result.name != "latency"}


def test_the_example_passes_every_check():
    ticks = some_ticks(60_000)
    every = list(own_check.check(own.load(EXAMPLE), ticks))
    names = ["runs", "deterministic", "parity", "lookahead", "warm-up", "latency"]
    assert [result.name for result in every] == names
    assert [result for result in every[:-1] if not result.passed] == []


@pytest.mark.parametrize(
    ("body", "check", "text"),
    [
        ("out[n] = ticks[min(n + 1, len(ticks) - 1)].bid", "lookahead", "a tick after it"),
        ("out[n] = ticks[max(n - 1, 0)].bid", "parity", "must stand in its state alone"),
        ("out[n] = np.random.random()", "deterministic", "other values"),
        ("out[n] = math.nan", "warm-up", "NaN for ever"),
        ("out[n] = 1.0 / (n % 7)", "warm-up", "it is infinite"),
        ("out[n] = ticks[n + 1].bid", "runs", "IndexError"),
        ("state.other = 1; out[n] = 1.0", "runs", "no field 'other'"),
        ("raise ValueError('no')", "runs", "ValueError"),
    ],
)
def test_what_is_wrong_with_a_feature_is_a_verdict(tmp_path, body, check, text):
    result = results(written(tmp_path, body))[check]
    assert not result.passed
    assert text in result.text


def test_a_span_shorter_than_the_warm_up_says_nothing(tmp_path):
    path = written(tmp_path, text=FILE.replace("60.0", "86400.0"))
    assert "give ticks of a longer span" in results(path)["warm-up"].text
    with pytest.raises(SettingsError, match="too few"):
        results(path, some_ticks(20))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("import os\n" + FILE, "line 1: imports os; a feature is one file"),
        ("from .other import x\n" + FILE, r"imports \.other"),
        (FILE.replace('"mine"', '"yours"'), "is named 'yours'; name the file yours.py"),
        (FILE.replace("60.0", "-1.0"), "warm_up_s is -1.0"),
        (FILE.replace("60.0", "float('nan')"), "warm_up_s is nan"),
        (FILE.replace('"f8"', '"O"'), "state holds Python objects"),
        (FILE.replace('"f8"', '"f7"'), "state is no list of NumPy fields"),
        ("def update(state, ticks, out): pass", "it needs FEATURE"),
        ("FEATURE = 1 / 0", "cannot be loaded, ZeroDivisionError"),
        ("def (", "line 1: no Python"),
    ],
)
def test_what_is_no_feature_is_refused(tmp_path, text, problem):
    with pytest.raises(SettingsError, match=problem):
        own.load(written(tmp_path, text=text))


def test_a_name_that_ships_is_refused(tmp_path):
    path = written(tmp_path, text=FILE.replace('"mine"', '"rsi_14"'), name="rsi_14")
    with pytest.raises(SettingsError, match="is a feature that ships"):
        own.load(path)


def test_the_set_hash_is_the_catalogues_until_there_is_one(tmp_path):
    assert own.set_hash(own.of_folder(tmp_path / "features")) == FEATURE_SET_HASH
    (tmp_path / "features").mkdir()
    written(tmp_path / "features")
    first = own.set_hash(own.of_folder(tmp_path / "features"))
    written(tmp_path / "features", GOOD + " ")
    assert len({FEATURE_SET_HASH, first, own.set_hash(own.of_folder(tmp_path / "features"))}) == 3


def test_ticks_that_the_kernel_skips_are_not_seen(tmp_path):
    ticks = some_ticks(50)
    ticks["quality"][5], ticks["bid"][6], ticks["ask"][7] = OUT_OF_ORDER, 0.0, np.nan
    ticks["time_msc"][9] = ticks["time_msc"][3]
    assert len(usable(ticks, -1)) == 46
    assert len(usable(ticks, int(ticks["time_msc"][20]))) == 30


@pytest.fixture(scope="module")
def recording(recordings, tmp_path_factory):
    folder = tmp_path_factory.mktemp("ticks")
    return cut(recordings / "ticks" / "EURUSD_oanda.parquet", folder, 0, 30_000)


def served(recording, home, slice_ticks=32_768):
    """Rows as a backtest makes them, and all kept ticks."""
    settings = Settings(str(home))
    market = RecordedMarket([ParquetTicks(recording)], slice_ticks)
    stages = FeatureStages(settings, market, market.feeds())
    rows, ticks, number = [], [], 1
    while (part := stages.slice(number)) is not None:
        rows += part.rows
        ticks += part.ticks["oanda", "EURUSD"]
        number += 1
    keys = [np.concatenate([getattr(row, name) for row in rows]) for name in ("time_msc", "seq")]
    return np.concatenate([row.features for row in rows]), keys, np.concatenate(ticks)


def test_a_backtest_serves_it_beside_the_catalogue_however_slices_are_cut(recording, tmp_path):
    (tmp_path / "features").mkdir()
    plain, _, _ = served(recording, tmp_path)
    path = written(tmp_path / "features")
    wide, (times, seqs), ticks = served(recording, tmp_path)
    small, _, _ = served(recording, tmp_path, slice_ticks=1_700)
    assert wide.shape == (len(plain), len(NAMES) + 1)
    assert wide.tobytes() == small.tobytes()
    assert wide[:, : len(NAMES)].tobytes() == plain.tobytes()
    fit = usable(ticks, -1)
    values = OwnState(own.load(path), compiled(own.load(path))).values(fit)
    place = {(int(t), int(s)): n for n, (t, s) in enumerate(fit[["time_msc", "seq"]].tolist())}
    expected = [values[place[int(t), int(s)]] for t, s in zip(times, seqs, strict=True)]
    assert np.array_equal(wide[:, -1], np.array(expected, np.float32))
    assert feature_index("mine") == len(NAMES)
    own.use(())
    with pytest.raises(SettingsError, match="no feature 'mine'"):
        feature_index("mine")


def test_a_feature_that_fails_in_a_backtest_names_its_file(tmp_path):
    loaded = own.load(written(tmp_path, "raise ValueError('no')"))
    columns = OwnColumns([loaded])
    ticks = some_ticks(5)
    keys = ticks["time_msc"].astype(np.int64), ticks["seq"].astype(np.int64)
    with pytest.raises(SettingsError, match=r"mine\.py: update\(\) failed: ValueError"):
        columns.widened("a.b", ticks, keys, np.zeros((5, 2), np.float32))
