"""Own features in the stream: cuts, restarts and changed files leave every bit where it was."""

from pathlib import Path

import numpy as np
import pytest

from core.contracts.tick import TICK, TickArray, TickBatch
from core.errors import SettingsError
from core.metrics import Histograms
from features import own
from features.catalog import NAMES
from streams.rebuild_own import Moment, with_own_features
from streams.sample import Sampler, SamplerState

TEXT = """
from tickhouse import OwnFeature

FEATURE = OwnFeature("{name}", "bp", "what it is", 60.0, (("count", "i8"), ("mean", "f8")))

def update(state, ticks, out):
    for n in range(len(ticks)):
        state.count += 1
        state.mean += (ticks[n].bid - state.mean) / state.count
        out[n] = {value}
"""
HOUR = 3_600_000


def features(folder: Path, value: str = "ticks[n].bid / state.mean", name: str = "mine"):
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.py").write_text(TEXT.format(name=name, value=value))
    return own.of_folder(folder)


def some_ticks(count: int = 2_000) -> TickArray:
    random = np.random.default_rng(5)
    ticks = np.zeros(count, TICK)
    ticks["time_msc"] = 1_699_999_000_000 + np.cumsum(random.integers(0, 8_000, count))
    ticks["seq"] = np.r_[0, (np.diff(ticks["time_msc"]) == 0).astype(int)]
    ticks["bid"] = 1.1 * np.exp(np.cumsum(random.normal(0, 1e-5, count)))
    ticks["ask"] = ticks["bid"] + 1e-4
    return ticks


def batch(ticks: TickArray) -> TickBatch:
    return TickBatch("r", "live", "x", "EURUSD", 0, 0, ticks.tobytes())


def run(loaded, ticks, edges=(), state=None):
    """Rows and hours, with a restart at each edge; the state behind the last."""
    rows, hours = [], []
    for part in np.split(ticks, edges):
        sampler = Sampler(1_000, Histograms(), state, keep_hours=True, features=loaded)
        (sampled,) = sampler.rows(batch(part), 0)
        rows.append(sampled.features)
        hours += sampled.snapshots
        state = sampler.state
    return np.concatenate(rows), hours, state


def test_restarts_change_no_bit_of_rows_memory_or_hours(tmp_path: Path) -> None:
    loaded, ticks = features(tmp_path), some_ticks()
    rows, hours, state = run(loaded, ticks)
    again = run(loaded, ticks, [3, 701])
    assert rows.shape[1] == len(NAMES) + 1
    assert rows.tobytes() == again[0].tobytes()
    assert hours == again[1]
    assert len(hours) > 1
    assert len({hour.own for hour in hours}) == len(hours)
    assert state == again[2]


def test_an_hour_is_where_an_explanation_goes_on(tmp_path: Path) -> None:
    loaded, ticks = features(tmp_path), some_ticks()
    rows, hours, _ = run(loaded, ticks)
    begin = int(np.searchsorted(ticks["time_msc"], hours[0].hour_us // 1000))
    kernels, own_memory = {"x.EURUSD": hours[0].state}, {"x.EURUSD": hours[0].own}
    state = SamplerState(kernels, {}, [], own=own_memory)
    later, _, _ = run(loaded, ticks[begin:], state=state)
    assert later[:, len(NAMES) :].tobytes() == rows[-len(later) :, len(NAMES) :].tobytes()


def test_a_changed_or_new_feature_is_folded_from_the_runs_first_tick(tmp_path: Path) -> None:
    ticks, at = some_ticks(), 1_200
    _, _, state = run(features(tmp_path), ticks[:at])
    changed = features(tmp_path, "state.mean * 2")
    changed = features(tmp_path, "state.count * 1.0", name="other")
    expected, _, whole = run(changed, ticks)
    with pytest.raises(SettingsError, match="of other features"):
        run(changed, ticks[at:], state=state)

    older = np.concatenate([some_ticks(3), ticks])
    older["time_msc"][:3] -= 50_000  # stored, and of another run

    def read(source, symbol, first_msc, last_msc):
        assert (source, symbol) == ("x", "EURUSD")
        time = older["time_msc"]
        yield older[(time >= first_msc) & (time <= last_msc)]

    began = Moment(int(ticks["time_msc"][0]), int(ticks["seq"][0]))
    rebuilt = with_own_features(state, changed, read, lambda *_feed: began)
    rows, _, after = run(changed, ticks[at:], state=rebuilt)
    assert rows.tobytes() == expected[-len(rows) :].tobytes()
    assert after.own == whole.own
    assert with_own_features(after, changed, read, lambda *_feed: None) == after
    dropped = with_own_features(after, (), read, lambda *_feed: None)
    assert dropped is not None
    assert dropped.own == {}


def test_what_is_not_finite_is_nan(tmp_path: Path) -> None:
    rows, _, _ = run(features(tmp_path, "1e300 if n % 2 else state.count / 0.0"), some_ticks(50))
    assert np.isnan(rows[:, -1]).all()
