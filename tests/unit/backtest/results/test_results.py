"""The results page's parts, on rows whose truth is known."""

import numpy as np
import pytest

from backtest.results import leak, page, page_findings, ticks, walk
from backtest.results.bars import BarFigures, read
from backtest.results.bootstrap import Interval, blocks, interval
from backtest.results.findings import FeedResult, Findings
from backtest.results.kept import Kept
from backtest.results.trading import Earned
from backtest.results.walk import WalkedRows
from core.sections import ModelSettings
from features.catalog import NAMES
from models.training.dataset import Dataset

MINUTE_US = 60_000_000


def test_an_interval_of_a_mean_covers_the_truth_as_often_as_it_says():
    random = np.random.default_rng(7)
    times = np.arange(400) * 1_000_000
    covered = 0
    for seed in range(120):
        noise = np.repeat(random.normal(size=40), 10)  # ten rows share one answer
        found = interval(lambda r, v=noise: float(v[r].mean()), times, 10_000_000, seed=seed)
        covered += found.holds(0.0)
    assert 0.88 <= covered / 120 <= 0.99


def test_blocks_make_an_interval_as_wide_as_shared_answers_ask_for():
    values = np.repeat(np.random.default_rng(7).normal(size=50), 20)
    times = np.arange(1_000) * 1_000_000
    rows, whole = (
        interval(lambda r: float(values[r].mean()), times, size) for size in (1, 20_000_000)
    )
    assert whole.high - whole.low > 3 * (rows.high - rows.low)
    assert blocks(times, 20_000_000) == 50


def test_a_figure_that_rows_cannot_give_is_no_number():
    found = interval(lambda _: None, np.arange(5), 1)
    assert np.isnan(found.value)


def predictions(lean, label, rows=None, spread_bp=None):
    """Test rows a second apart whose model leans so."""
    count = len(label)
    said = np.full((count, 3), 0.2, np.float32)
    said[:, 2] += np.clip(lean, 0, 0.5).astype(np.float32)
    said[:, 0] += np.clip(-lean, 0, 0.5).astype(np.float32)
    features = np.zeros((count, len(NAMES)), np.float32) if rows is None else rows
    move = np.where(label == 2, 3.0, np.where(label == 0, -3.0, 0.0))
    fold = np.arange(count) * 4 // count
    return WalkedRows(
        np.arange(count) * 1_000_000, features, label.astype(np.int8), said,
        np.tile([0.3, 0.3, 0.4], (count, 1)), move,
        np.ones(count) if spread_bp is None else spread_bp, np.ones(count),
        fold.astype(np.int8), said[None], ("linear",),
    )  # fmt: skip


def leaky(count=5_400):
    """A model that sees the answer of its own row, and answers that live a second."""
    random = np.random.default_rng(7)
    label = random.integers(0, 3, count)
    return predictions((label - 1) * 0.1 + random.normal(0, 0.15, count), label)


def figured(made):
    return ticks.figures("x.EURUSD", made, ticks.run_settings("unused"))


def test_what_is_above_the_limit_is_asked_about_and_else_the_highest():
    figures = figured(leaky())
    assert set(leak.suspects(figures)) == {("", -1), ("linear", -1), *(("", n) for n in range(4))}
    calm = figures._replace(
        auc=Interval(0.51, 0.5, 0.52), auc_folds=(0.5, 0.55, np.nan, 0.4), auc_members={"a": 0.53}
    )
    assert leak.suspects(calm) == [("", 1)]
    assert leak.suspects(calm._replace(auc_folds=(0.5, 0.61, 0.4, 0.4))) == [("", 1)]


def test_one_fold_above_the_limit_is_told_beside_the_others():
    made = leaky()
    random = np.random.default_rng(3)
    noise = predictions(random.normal(0, 0.15, len(made.label)), made.label)
    leaning = np.where((made.fold == 2)[:, None], made.probabilities, noise.probabilities)
    one = made._replace(probabilities=leaning, members=leaning[None])
    figures = figured(one)
    assert leak.suspects(figures) == [("", 2)]
    found = leak.investigate("x", one, "", 2)
    assert found.what == "ensemble, fold 3"
    assert found.moved == ((made.fold == 2) & (made.label != 1)).sum()
    feed = FeedResult("x", figures, [found], [], "")
    assert "No other fold reaches it: " in page_findings.explanations([feed])


def test_what_was_worked_out_is_kept_with_its_nans(tmp_path):
    file = tmp_path / "EURUSD_x.parquet"
    file.write_bytes(b"ticks")
    figures = figured(leaky())._replace(auc_folds=(float("nan"),))
    feed = FeedResult("x", figures, [leak.investigate("x", leaky())], [], "")
    settings, made = ticks.run_settings("unused"), []
    for _ in range(2):
        again = Kept(tmp_path / "kept").get(
            file, settings, FeedResult, lambda: made.append(1) or feed
        )
    assert made == [1]
    assert repr(again) == repr(feed)
    file.write_bytes(b"other ticks")
    Kept(tmp_path / "kept").get(file, settings, FeedResult, lambda: made.append(2) or feed)
    assert made == [1, 2]


def test_a_planted_leak_is_beyond_chance_and_dies_with_older_rows():
    found = leak.investigate("x", leaky())
    assert found.auc.value > 0.7
    assert found.beyond_chance
    assert all(abs(value - 0.5) < 0.02 for value in found.lagged.values())
    assert "lives on the newest quotes" in page_findings._explanation(found, figured(leaky()))


def test_leanings_without_skill_are_told_as_chance():
    random = np.random.default_rng(7)
    made = predictions(random.normal(0, 0.2, 9_000), random.integers(0, 3, 9_000))
    found = leak.investigate("x", made)
    assert not found.beyond_chance
    assert "Not distinguishable from chance" in page_findings._explanation(found, figured(made))


def test_a_made_up_ask_is_found_and_its_price_level_named():
    """A constant spread over a price that swings: spread_bp is the level, and the level returns."""
    count = 9_000
    price = 1.0 + 0.01 * np.sin(np.arange(count) / 900)
    label = np.where(np.gradient(price, edge_order=1) > 0, 2, 0)
    ahead = np.roll(label, -900)
    rows = np.zeros((count, len(NAMES)), np.float32)
    rows[:, NAMES.index("spread_bp")] = 1.7 / price
    made = predictions(np.zeros(count), ahead, rows, 1.7 / price)._replace(mid=price)
    found = leak.investigate("x", made)
    assert found.one_spread > 0.99
    assert found.made_up
    assert found.best_feature.endswith("spread_bp")
    assert "nothing but the price turned over" in page_findings._explanation(found, figured(made))


def test_a_spread_of_one_price_step_is_no_made_up_ask():
    """An exchange's best bid and ask stand one step apart nearly always."""
    random = np.random.default_rng(7)
    price = 100.0 + np.cumsum(random.integers(-3, 4, 9_000)) * 0.01
    quoted = predictions(random.normal(size=9_000), random.integers(0, 3, 9_000))
    found = leak.investigate("x", quoted._replace(mid=price, spread_bp=0.01 / price * 1e4))
    assert found.one_spread > 0.99
    assert found.one_step
    assert not found.made_up


def test_trades_do_not_overlap_and_pay_spread_and_commission():
    made = predictions(np.zeros(200), np.full(200, 2))
    rows, net = walk.traded(made, np.ones(200, np.int8), MINUTE_US, commission_bp=0.25)
    assert rows.tolist() == [0, 60, 120, 180]
    assert net == pytest.approx([1.5] * 4)  # 3 gained, 1 spread, 0.25 twice


def series(count=6_000):
    """A feed of one row a second whose features are known to be noise."""
    random = np.random.default_rng(7)
    mid = 1.1 * np.exp(np.cumsum(random.normal(0, 2e-5, count)))
    rows = random.normal(size=(count, len(NAMES))).astype(np.float32)
    # Always half a basis point: a constant spread in price would tell the price level.
    rows[:, NAMES.index("spread_bp")] = 0.5
    time = np.arange(count, dtype=np.int64) * 1_000_000
    return Dataset(rows, time, mid, mid * 5e-5, np.zeros(count, np.int32), ("s.EURUSD",))


def test_rows_that_are_judged_come_after_all_that_was_trained_on(monkeypatch):
    """The walk is that of models.training.walk; noise tells nothing, whatever is trained on it."""
    folds = []
    real = walk.walked
    monkeypatch.setattr(walk, "walked", lambda *a: (folds.append(f) or f for f in real(*a)))
    data = series()
    settings = ModelSettings(members=("linear",), rounds=5, threads=1)
    found = walk.walk(data, settings, lambda *_: None, folds=2)
    for number, fold in enumerate(folds):
        first = found.time_us[found.fold == number].min()
        assert first - data.time_us[fold.train].max() > 2 * MINUTE_US
    assert len(found.label) == sum(len(fold.test) for fold in folds)
    assert found.members.shape == (1, len(found.label), 3)
    auc = ticks.direction_auc(found, ticks.lean(found))
    assert auc.holds(0.5), "noise tells nothing"


def test_bars_tell_nothing_of_the_hour_that_comes():
    """Changing all later bars changes no feature of a row."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = hourly_bars(pa, 1_000)
    whole = read(write(table, pq))
    later = table["close"].to_numpy().copy()
    later[700:] *= 1.5
    changed = table.set_column(table.column_names.index("close"), "close", pa.array(later))
    other = read(write(changed, pq))
    known = whole.time_us < table["time_msc"][700].as_py() * 1000 + 1
    assert np.array_equal(whole.rows[known], other.rows[known])
    assert whole.move_bp[known][-1] != other.move_bp[known][-1]


def hourly_bars(pa, count):
    """A random walk in the columns of the reference bars, without weekends."""
    random = np.random.default_rng(5)
    close = 0.8 * np.exp(np.cumsum(random.normal(0, 1e-3, count)))
    open_ = np.r_[0.8, close[:-1]]
    reach = np.abs(random.normal(0, 5e-4, (2, count)))
    return pa.table({
        "symbol": ["EURGBP"] * count, "time_msc": 1_353_049_200_000 + np.arange(count) * 3_600_000,
        "open": open_, "high": np.maximum(open_, close) + reach[0],
        "low": np.minimum(open_, close) - reach[1], "close": close,
        "tick_volume": np.full(count, 500),
    })  # fmt: skip


def write(table, pq):
    import io

    out = io.BytesIO()
    pq.write_table(table, out)
    out.seek(0)
    return out


def test_the_page_claims_nothing_that_its_figures_do_not():
    loses, wins = Interval(-1.0, -1.2, -0.8), Interval(1.0, 0.2, 1.8)
    bar = BarFigures("A", 9, 2014, 2020, loses, loses, 0.5, 0.5, 1.0, {"model": loses})
    lost = Earned("f", "ema_cross", 3, -5.0, -4.0, 0.5, -1.0)
    idle = lost._replace(trades=0, net=0.0)
    text = page.text(Findings([FeedResult("f", None, [], [lost, idle], "too little")], [bar]))
    assert "**Nothing beats costs one hour ahead on bars**" in text
    assert "**All 1 backtests of shipped strategies lost money.** 1 more opened no position" in text
    won = FeedResult("f", None, [], [lost._replace(net=7.0)], "")
    better = bar._replace(net_bp={"model": wins})
    text = page.text(Findings([won], [better]))
    assert "Nothing beats costs" not in text
    assert "expected by luck alone" in text
    assert "The best of many tries is not evidence" in text
