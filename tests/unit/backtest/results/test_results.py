"""The results page's parts, on rows whose truth is known."""

import numpy as np
import pytest

from backtest.results import leak, page, page_findings, ticks, walk
from backtest.results.bars import BarFigures, read
from backtest.results.bootstrap import Interval, blocks, interval
from backtest.results.findings import FeedResult, Findings
from backtest.results.kept import PieceStore
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
        result = interval(lambda r, v=noise: float(v[r].mean()), times, 10_000_000, seed=seed)
        covered += result.holds(0.0)
    assert 0.88 <= covered / 120 <= 0.99


def test_blocks_make_an_interval_as_wide_as_shared_answers_ask_for():
    values = np.repeat(np.random.default_rng(7).normal(size=50), 20)
    times = np.arange(1_000) * 1_000_000
    rows, complete = (
        interval(lambda r: float(values[r].mean()), times, size) for size in (1, 20_000_000)
    )
    assert complete.high - complete.low > 3 * (rows.high - rows.low)
    assert blocks(times, 20_000_000) == 50


def test_a_figure_that_rows_cannot_give_is_no_number():
    result = interval(lambda _: None, np.arange(5), 1)
    assert np.isnan(result.value)


def predictions(lean, label, rows=None, spread_bp=None):
    """Test rows a second apart whose model leans so."""
    count = len(label)
    text = np.full((count, 3), 0.2, np.float32)
    text[:, 2] += np.clip(lean, 0, 0.5).astype(np.float32)
    text[:, 0] += np.clip(-lean, 0, 0.5).astype(np.float32)
    features = np.zeros((count, len(NAMES)), np.float32) if rows is None else rows
    move = np.where(label == 2, 3.0, np.where(label == 0, -3.0, 0.0))
    fold = np.arange(count) * 4 // count
    return WalkedRows(
        time_us=np.arange(count) * 1_000_000, rows=features, label=label.astype(np.int8),
        probabilities=text, prior=np.tile([0.3, 0.3, 0.4], (count, 1)), move_bp=move,
        spread_bp=np.ones(count) if spread_bp is None else spread_bp, mid=np.ones(count),
        fold=fold.astype(np.int8), members=text[None], names=("linear",),
    )  # fmt: skip


def leaky(count=5_400):
    """A model that sees the answer of its own row, and answers that live a second."""
    random = np.random.default_rng(7)
    label = random.integers(0, 3, count)
    return predictions((label - 1) * 0.1 + random.normal(0, 0.15, count), label)


def figured(predicted):
    return ticks.figures("x.EURUSD", predicted, ticks.run_settings("unused"))


def test_what_is_above_the_limit_is_asked_about_and_else_the_highest():
    figures = figured(leaky())
    assert set(leak.suspects(figures)) == {("", -1), ("linear", -1), *(("", n) for n in range(4))}
    calm = figures._replace(
        auc=Interval(0.51, 0.5, 0.52), auc_folds=(0.5, 0.55, np.nan, 0.4), auc_members={"a": 0.53}
    )
    assert leak.suspects(calm) == [("", 1)]
    assert leak.suspects(calm._replace(auc_folds=(0.5, 0.61, 0.4, 0.4))) == [("", 1)]


def test_one_fold_above_the_limit_is_told_beside_the_others():
    predicted = leaky()
    random = np.random.default_rng(3)
    noise = predictions(random.normal(0, 0.15, len(predicted.label)), predicted.label)
    leaning = np.where((predicted.fold == 2)[:, None], predicted.probabilities, noise.probabilities)
    one = predicted._replace(probabilities=leaning, members=leaning[None])
    figures = figured(one)
    assert leak.suspects(figures) == [("", 2)]
    result = leak.investigate("x", one, "", 2)
    assert result.what == "ensemble, fold 3"
    assert result.moved == ((predicted.fold == 2) & (predicted.label != 1)).sum()
    feed = FeedResult("x", figures, [result], [], "")
    assert "No other fold reaches it: " in page_findings.explanations([feed])


def test_what_was_worked_out_is_kept_with_its_nans(tmp_path):
    file = tmp_path / "EURUSD_x.parquet"
    file.write_bytes(b"ticks")
    figures = figured(leaky())._replace(auc_folds=(float("nan"),))
    feed = FeedResult("x", figures, [leak.investigate("x", leaky())], [], "")
    settings, computed = ticks.run_settings("unused"), []
    for _ in range(2):
        again = PieceStore(tmp_path / "kept").get(
            file, settings, FeedResult, lambda: computed.append(1) or feed
        )
    assert computed == [1]
    assert repr(again) == repr(feed)
    file.write_bytes(b"other ticks")
    PieceStore(tmp_path / "kept").get(
        file, settings, FeedResult, lambda: computed.append(2) or feed
    )
    assert computed == [1, 2]


def test_a_planted_leak_is_beyond_chance_and_dies_with_older_rows():
    result = leak.investigate("x", leaky())
    assert result.auc.value > 0.7
    assert result.beyond_chance
    assert all(abs(value - 0.5) < 0.02 for value in result.lagged.values())
    assert "lives on the newest quotes" in page_findings._explanation(result, figured(leaky()))


def test_leanings_without_skill_are_told_as_chance():
    random = np.random.default_rng(7)
    predicted = predictions(random.normal(0, 0.2, 9_000), random.integers(0, 3, 9_000))
    result = leak.investigate("x", predicted)
    assert not result.beyond_chance
    assert "Not distinguishable from chance" in page_findings._explanation(
        result, figured(predicted)
    )


def test_a_made_up_ask_is_found_and_its_price_level_named():
    """A constant spread over a price that swings: spread_bp is the level, and the level returns."""
    count = 9_000
    price = 1.0 + 0.01 * np.sin(np.arange(count) / 900)
    label = np.where(np.gradient(price, edge_order=1) > 0, 2, 0)
    ahead = np.roll(label, -900)
    rows = np.zeros((count, len(NAMES)), np.float32)
    rows[:, NAMES.index("spread_bp")] = 1.7 / price
    predicted = predictions(np.zeros(count), ahead, rows, 1.7 / price)._replace(mid=price)
    result = leak.investigate("x", predicted)
    assert result.one_spread > 0.99
    assert result.made_up
    assert result.best_feature.endswith("spread_bp")
    assert "nothing but the price turned over" in page_findings._explanation(
        result, figured(predicted)
    )


def test_a_spread_of_one_price_step_is_no_made_up_ask():
    """An exchange's best bid and ask stand one step apart nearly always."""
    random = np.random.default_rng(7)
    price = 100.0 + np.cumsum(random.integers(-3, 4, 9_000)) * 0.01
    quoted = predictions(random.normal(size=9_000), random.integers(0, 3, 9_000))
    result = leak.investigate("x", quoted._replace(mid=price, spread_bp=0.01 / price * 1e4))
    assert result.one_spread > 0.99
    assert result.one_step
    assert not result.made_up


def test_trades_do_not_overlap_and_pay_spread_and_commission():
    predicted = predictions(np.zeros(200), np.full(200, 2))
    rows, net = walk.traded(predicted, np.ones(200, np.int8), MINUTE_US, commission_bp=0.25)
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
    result = walk.walk(data, settings, lambda *_: None, folds=2)
    for number, fold in enumerate(folds):
        first = result.time_us[result.fold == number].min()
        assert first - data.time_us[fold.train].max() > 2 * MINUTE_US
    assert len(result.label) == sum(len(fold.test) for fold in folds)
    assert result.members.shape == (1, len(result.label), 3)
    auc = ticks.direction_auc(result, ticks.lean(result))
    assert auc.holds(0.5), "noise tells nothing"


def test_bars_tell_nothing_of_the_hour_that_comes():
    """Changing all later bars changes no feature of a row."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = hourly_bars(pa, 1_000)
    complete = read(write(table, pq))
    later = table["close"].to_numpy().copy()
    later[700:] *= 1.5
    changed = table.set_column(table.column_names.index("close"), "close", pa.array(later))
    other = read(write(changed, pq))
    known = complete.time_us < table["time_msc"][700].as_py() * 1000 + 1
    assert np.array_equal(complete.rows[known], other.rows[known])
    assert complete.move_bp[known][-1] != other.move_bp[known][-1]


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
    bar = BarFigures(
        name="A", rows=9, first_year=2014, last_year=2020, auc=loses, momentum_auc=loses, hit=0.5,
        majority_hit=0.5, cost_bp=1.0, net_bp={"model": loses},
    )  # fmt: skip
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
