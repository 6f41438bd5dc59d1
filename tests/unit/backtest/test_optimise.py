"""Trials trade what a real backtest trades, and the search is judged by what it did not see."""

from itertools import combinations

import msgspec
import numpy as np
import pyarrow.parquet as pq
import pytest

from backtest import plan, pool, portfolio
from backtest import run as backtest_run
from backtest.job import FeedFile
from backtest.optimise import page, report
from backtest.optimise.overfitting import overfitting
from backtest.optimise.periods import Ledger, Part, Periods, returns, within
from backtest.optimise.run import _FIELDS, Plan, optimise
from backtest.optimise.shared import SharedMarket
from backtest.optimise.trial import Evaluator, needs_execution
from backtest.plan import MarketSpan, Recording
from core import desk
from core.errors import InputError, SettingsError
from core.sections import ExitSettings, ModelSettings, RunSettings, SignalSettings
from core.settings import Settings
from execution.risk.limits import of_settings, parse
from models.serving.registry import Registry
from models.training.train import fit
from strategies import select
from strategies.parameters import parameter_values, written
from tests.support.datasets import recorded_dataset

HOUR_US = 3_600_000_000
LOOSE = {
    "breakout": "spreads=1.0,horizon_s=900.0",
    "trend": "ranges=0.1,spreads=1.0,horizon_s=900.0",
    "mean_reversion": "stretch=5.0,calm=6.0,spreads=0.5,horizon_s=600.0",
    "session_breakout": "opens_h=0.0,hours=6.0,ranges=0.0,horizon_s=600.0",
    "volatility_target": "target_bp=3.0,ranges=0.0,horizon_s=900.0",
    "ema_cross": "",
}


@pytest.fixture(scope="module")
def recording(recordings, tmp_path_factory):
    """A day and a half of EURUSD over US payrolls and into the weekend."""
    source = recordings / "ticks" / "EURUSD_oanda.parquet"
    path = tmp_path_factory.mktemp("ticks") / source.name
    table = pq.read_table(source).slice(0, 120_000)
    pq.write_table(table, path)
    times = table["time_msc"].to_numpy()
    return Recording(FeedFile(str(path), "oanda", "EURUSD"), int(times[0]), int(times[-1]))


@pytest.fixture(scope="module")
def gold(recordings, tmp_path_factory):
    """The hours of gold beside it."""
    source = recordings / "ticks" / "XAUUSD_oanda.parquet"
    path = tmp_path_factory.mktemp("ticks") / source.name
    table = pq.read_table(source).slice(0, 60_000)
    pq.write_table(table, path)
    times = table["time_msc"].to_numpy()
    return Recording(FeedFile(str(path), "oanda", "XAUUSD"), int(times[0]), int(times[-1]))


def a_job(recording, home, strategy, parameters="", begin=0, **sections):
    run = RunSettings("o1", "backtest", "o1", strategy)
    signals = SignalSettings(parameters=parameters) if parameters else SignalSettings()
    settings = Settings(str(home), run=run, signals=signals, **sections)
    span = MarketSpan(recording.first_msc + begin, recording.last_msc + 1)
    (job,) = plan.jobs([recording], span, settings)
    return job


def fast_and_real(job):
    """Trades of a trial and of a backtest, as tuples."""
    settings = job.settings
    declared = select.declared(job.strategies.strategies[0].use, settings.home_path / "strategies")
    values = parameter_values(declared, settings.signals.parameters)
    plain = msgspec.structs.replace(
        settings, signals=msgspec.structs.replace(settings.signals, parameters="")
    )
    plainly = msgspec.structs.replace(job, settings=plain)
    limits = parse(job.limits, "limits") if job.limits else of_settings(settings.execution)
    market = SharedMarket(plainly, keeps_slices=needs_execution(plainly, limits))
    trial = Evaluator([market], plainly, limits).trades(values)
    real = [tuple(getattr(t, name) for name in _FIELDS) for t in backtest_run.run(job).trades]
    return sorted(tuple(t.trade) for t in trial), sorted(real)


@pytest.mark.parametrize("strategy", LOOSE)
def test_a_trial_trades_what_a_backtest_trades_to_the_last_bit(recording, tmp_path, strategy):
    fast, real = fast_and_real(a_job(recording, tmp_path, strategy, LOOSE[strategy]))
    assert len(real) > 10
    assert fast == real


def test_so_it_does_with_close_stops_gains_and_a_span_that_begins_late(recording, tmp_path):
    job = a_job(
        recording, tmp_path, "breakout", LOOSE["breakout"], begin=6 * 3_600_000,
        exits=ExitSettings(take_profit_stops=0.5),
    )  # fmt: skip
    fast, real = fast_and_real(job)
    assert {"stop", "take_profit", "horizon"} <= {trade[6] for trade in real}
    assert fast == real
    assert min(trade[2] for trade in real) >= job.from_msc * 1000


def test_so_it_does_with_stops_that_trail(recording, tmp_path):
    job = a_job(
        recording, tmp_path, "breakout", LOOSE["breakout"],
        exits=ExitSettings(trail_stops=0.4, take_profit_stops=2.0),
    )  # fmt: skip
    fast, real = fast_and_real(job)
    assert fast == real
    gains = [trade for trade in real if trade[6] == "stop" and trade[7] > 0]
    assert len(gains) > 5, "stops that moved beyond the entry"


@pytest.mark.parametrize("sizing", ["volatility", "kelly"])
def test_so_it_does_with_sizes_that_follow_the_equity(recording, tmp_path, sizing):
    text = f"""version = "t"
[limits]
sizing = "{sizing}"
risk_share = 0.004
kelly_cap = 0.006
max_sized_lots = 20
max_lots = 20
max_order_equity = 40
max_position_equity = 40
max_gross_equity = 40
max_daily_loss_share = 0.9
[breakers]
half_at_drawdown = 0.97
reducing_at_drawdown = 0.98
halted_at_drawdown = 0.99
"""
    job = a_job(recording, tmp_path, "trend", LOOSE["trend"])
    fast, real = fast_and_real(msgspec.structs.replace(job, limits=text.encode()))
    assert len({trade[1] for trade in real}) > 10, "many sizes"
    assert fast == real


FOLDED = """
from tickhouse import FEATURE_NAMES, Parameter, parameter_values


class Counts:
    name, needs_model, state_size = "counts", False, 1
    parameters = (Parameter("every", 5.0, 1.0, 50.0, "highs between two entries"),)
    horizon_s = 600.0

    def __init__(self, settings):
        self.every = parameter_values(self.parameters, settings.parameters)["every"]

    def step(self, state, row, probabilities):
        state[0] += abs(row[FEATURE_NAMES.index("rsi_14")] - 50) > 10
        side = -1 if row[FEATURE_NAMES.index("return_60s")] > 0 else 1
        return side * (state[0] % int(self.every) == 1), 0.5
"""
LEANS = """
import numpy as np
from tickhouse import Parameter, Targets, parameter_values


class Leans:
    name, needs_model = "leans", NEEDS
    parameters = (Parameter("least", 0.01, 0.001, 0.5, "least lean of the model"),)
    horizon_s = 300.0

    def __init__(self, settings):
        self.least = parameter_values(self.parameters, settings.parameters)["least"]

    def targets(self, rows, probabilities):
        lean = probabilities[:, 2] - probabilities[:, 0]
        return Targets(np.sign(lean) * (np.abs(lean) > self.least), np.abs(lean))
"""


APART = """
import numpy as np
from tickhouse import FEATURE_NAMES, Parameter, parameter_values


class Apart:
    name, needs_model = "apart", False
    parameters = (Parameter("gap", 20.0, 5.0, 60.0, "between the two strengths"),)
    horizon_s = 300.0

    def __init__(self, settings):
        self.gap = parameter_values(self.parameters, settings.parameters)["gap"]

    def pair_targets(self, rows, age_s):
        strength = rows[:, :, FEATURE_NAMES.index("rsi_14")]
        gap = np.nan_to_num(strength[:, 0] - strength[:, 1])
        ahead = np.sign(gap) * (np.abs(gap) > self.gap) * (age_s < 30).all(axis=1)
        return ahead[:, None] * np.array([-1, 1]), np.full(age_s.shape, 0.5)
"""


def with_own(home, name, text):
    (home / "strategies").mkdir(exist_ok=True)
    (home / "strategies" / f"{name}.py").write_text(text)


def test_so_it_does_for_a_strategy_that_remembers(recording, tmp_path):
    with_own(tmp_path, "counts", FOLDED)
    fast, real = fast_and_real(a_job(recording, tmp_path, "counts", "every=40"))
    assert len(real) > 10
    assert fast == real


@pytest.mark.parametrize("needs", [False, True])
def test_so_it_does_for_one_that_sees_a_model(recording, tmp_path, needs):
    with_own(tmp_path, "leans", LEANS.replace("NEEDS", str(needs)))
    settings = ModelSettings(900.0, 20, 4, threads=1, members=("xgboost",))
    model = fit(recorded_dataset(ticks=30_000), "r", settings, simulated=True)
    Registry(tmp_path / "models").save(model)
    loose = SignalSettings(parameters="least=0.05", threshold=0.0, min_agreement=0.0)
    job = a_job(recording, tmp_path, "leans")
    job = msgspec.structs.replace(
        job, model=model.card.sha256,
        settings=msgspec.structs.replace(job.settings, signals=loose),
    )  # fmt: skip
    fast, real = fast_and_real(job)
    assert len(real) > 10
    assert fast == real


WAITS = """
import numpy as np
from tickhouse import FEATURE_NAMES, Orders, Parameter, parameter_values

RSI = FEATURE_NAMES.index("rsi_14")


class Waits:
    name, needs_model = "waits", False
    parameters = (Parameter("away", 2.0, 0.5, 20.0, "bp from the mid"),)
    horizon_s = 900.0

    def __init__(self, settings):
        self.away = parameter_values(self.parameters, settings.parameters)["away"]

    def orders(self, rows, probabilities):
        rsi, away = np.nan_to_num(rows[:, RSI], nan=50.0), np.full(len(rows), self.away)
        wants = (rsi < 40).astype(np.int8) - (rsi > 60)
        shared = {"life_s": 240.0, "one_of": "first", "stop_bp": 2 * away}
        return [
            Orders(wants, away, name="dip", follow_bp=1.0, take_profit_bp=away, size=away * 0 + 0.5,
                   **shared),
            Orders(-wants, 2 * away, name="break", entry="stop", cancel=np.abs(rsi - 50) < 2,
                   size=away * 0 + 0.5, **shared),
        ]
"""


def test_so_it_does_for_one_that_lets_orders_wait(recording, tmp_path):
    with_own(tmp_path, "waits", WAITS)
    begin = recording.last_msc - recording.first_msc - 12 * 3_600_000
    fast, real = fast_and_real(a_job(recording, tmp_path, "waits", "away=1.5", begin=begin))
    assert len(real) > 10
    assert {"stop", "take_profit", "horizon"} <= {trade[6] for trade in real}
    assert fast == real


@pytest.fixture
def of_both(recording, gold, tmp_path):
    """A job of both symbols in one account, by a strategy's file."""

    def make(name, text, **more):
        with_own(tmp_path, name, text)
        settings = Settings(
            str(tmp_path), run=RunSettings("o1", "backtest", "o1", "desk"),
            signals=SignalSettings(parameters="gap=25"),
        )  # fmt: skip
        desk_text = f'[strategies.{name}]\npairs = [["EURUSD", "XAUUSD"]]\n'.encode()
        span = MarketSpan(recording.first_msc, min(recording.last_msc, gold.last_msc))
        (job,) = plan.jobs(
            [recording, gold], span, settings, together=True, desk=desk.parse(desk_text, "desk")
        )
        return msgspec.structs.replace(job, **more)

    return make


def test_so_it_does_for_one_that_sees_two_symbols(of_both):
    fast, real = fast_and_real(of_both("apart", APART))
    assert len(real) > 20
    assert fast == real


def test_so_it_does_for_orders_that_wait_in_two_symbols(of_both):
    of_pairs = """
    def pair_orders(self, rows, age_s):
        ahead = np.nan_to_num(self.ahead(rows, age_s)[0])
        return [Orders(ahead[:, n], np.full(len(rows), 2.0), life_s=60.0) for n in (0, 1)]
"""
    text = APART.replace("import FEATURE_NAMES,", "import FEATURE_NAMES, Orders,") + of_pairs
    job = of_both("legs", text.replace('"apart"', '"legs"').replace("pair_targets", "ahead"))
    outcome = backtest_run.run(job)
    waited = {e.order_id for e in outcome.events if e.reason.startswith("limit ")}
    filled = [e for e in outcome.events if e.order_id in waited and e.kind == "filled"]
    assert {e.symbol for e in filled} == {"EURUSD", "XAUUSD"}
    fast, real = fast_and_real(job)
    assert fast == real


def test_so_it_does_where_symbols_of_one_account_are_sized_by_its_equity(of_both):
    limits = b"""version = "t"
[limits]
sizing = "volatility"
risk_share = 0.004
max_sized_lots = 20
max_lots = 20
"""
    fast, real = fast_and_real(of_both("apart", APART, limits=limits))
    assert len({trade[1] for trade in real}) > 5, "many sizes"
    assert fast == real


def test_overfitting_equals_a_loop_over_every_half():
    random = np.random.default_rng(7)
    matrix = random.normal(0.0, 1.0, (27, 6))
    count = 6  # 27 periods, four a block at least
    blocks = np.array_split(matrix, count)
    below = lost = 0
    halves = list(combinations(range(count), count // 2))
    for half in halves:
        inside = np.concatenate([blocks[b] for b in half])
        outside = np.concatenate([blocks[b] for b in range(count) if b not in half])
        best = int((inside.mean(axis=0) / inside.std(axis=0)).argmax())
        ratios = outside.mean(axis=0) / outside.std(axis=0)
        rank = (ratios <= ratios[best]).sum() / (6 + 1)
        below += np.log(rank / (1 - rank)) <= 0
        lost += outside[:, best].sum() < 0
    known = overfitting(matrix)
    assert (known.blocks, known.splits, known.trials) == (6, 20, 6)
    assert known.probability == pytest.approx(below / len(halves))
    assert known.loss == pytest.approx(lost / len(halves))


def test_luck_is_overfitting_and_skill_is_not():
    random = np.random.default_rng(3)
    noise = random.normal(0.0, 1.0, (400, 60))
    skilled = noise.copy()
    skilled[:, 17] += 0.5
    assert overfitting(noise).probability > 0.25
    assert overfitting(skilled).probability < 0.01
    assert overfitting(noise[:12]) is None
    assert overfitting(noise[:, :1]) is None
    still = np.column_stack([noise, np.zeros((400, 5))])
    assert overfitting(still).trials == 60


def test_a_trade_over_a_boundary_belongs_to_neither_part():
    periods = Periods("hour", np.arange(10, dtype=np.int64) * HOUR_US)
    opened = np.array([0.5, 4.5, 4.9, 5.0, 8.0]) * HOUR_US
    closed = np.array([1.5, 4.9, 5.1, 6.5, 99.0]) * HOUR_US
    book = Ledger(opened.astype(np.int64), closed.astype(np.int64), np.array([1.0, 2, 4, 8, 16]))
    first, second = periods.parts(2)
    assert (first, second) == (Part(0, 5), Part(5, 10))
    assert within(book, periods, first).net.tolist() == [1.0, 2.0]
    assert within(book, periods, second).net.tolist() == [8.0, 16.0]
    assert returns(book, periods, first, 100.0).tolist() == [0.0, 0.01, 0.0, 0.0, 0.02]
    assert returns(book, periods, second, 100.0).tolist() == [0.0, 0.08, 0.0, 0.0, 0.16]


@pytest.fixture(scope="module")
def searched(recording, tmp_path_factory):
    return search(recording, tmp_path_factory.mktemp("home"))


def search(recording, home, strategy="breakout", trials=40, folds=3, limits=None):
    job = a_job(recording, home, strategy)
    book = of_settings(job.settings.execution)
    if limits:
        job = msgspec.structs.replace(job, limits=limits)
        book = parse(limits, "limits.toml")
    return optimise(
        [job], select.declared(strategy, home / "strategies"), book, Plan(trials, folds),
        lambda jobs: pool.run_all(jobs, 1), lambda *_: None,
    )  # fmt: skip


def test_the_winner_trades_the_same_in_its_real_backtest(searched):
    assert searched.differing == 0
    nets = sorted(round(t.net, 8) for t in searched.real[0].trades)
    assert nets == sorted(searched.winner.book.net.round(8).tolist())
    assert searched.ratio >= searched.shipped_ratio
    assert len(searched.trials) > 20


def test_the_same_search_gives_the_same_result(recording, searched, tmp_path):
    again = search(recording, tmp_path)
    assert again.winner.values == searched.winner.values
    assert again.folds == searched.folds
    assert again.overfitting == searched.overfitting


def test_folds_choose_by_what_came_before_alone(searched):
    for fold in searched.folds:
        before = Part(0, fold.tested_on.begin)
        known = [
            returns(t.book, searched.periods, before, 100_000.0)
            for t in searched.trials
            if len(within(t.book, searched.periods, before).net) >= 5
        ]
        best = max(r.mean() / r.std(ddof=1) for r in known if r.std())
        assert fold.trained <= best + 1e-12
    ends = [fold.tested_on.end for fold in searched.folds]
    assert [fold.tested_on.begin for fold in searched.folds[1:]] == ends[:-1]
    assert ends[-1] == len(searched.periods.starts_us)


def test_values_are_read_back_and_the_page_escapes_what_people_name(searched):
    real = portfolio.together(searched.real, 100_000.0, len(searched.trials))
    given = {"strategy": "<b>x</b>", "accounts": ["<script>"], "inputs": {}, "wall_s": 1.0}
    built = report.build(searched, real, given)
    msgspec.json.encode(built)
    text = page.html(searched, built)
    assert "&lt;b&gt;x&lt;/b&gt;" in text
    assert "<script>" not in text
    assert text.count("<svg") == 1
    declared = select.declared("breakout")
    assert parameter_values(declared, written(searched.winner.values)) == searched.winner.values
    assert built["verdict"][-1].startswith("Do not trade") == bool(report.doubts(searched))


def test_a_search_through_execution_says_so(recording, tmp_path):
    rarely = WAITS.replace("rsi < 40", "rsi < 25").replace("rsi > 60", "rsi > 75")
    with_own(tmp_path, "waits", rarely)
    result = search(recording, tmp_path, "waits", trials=6, folds=2)
    assert result.executed
    assert result.differing == 0
    together = portfolio.together(result.real, 100_000.0, len(result.trials))
    given = {"strategy": "waits", "accounts": [], "inputs": {}, "wall_s": 0.0}
    built = report.build(result, together, given)
    assert "through execution itself" in page.html(result, built)


def test_every_doubt_is_said(searched):
    good = searched._replace(
        out_of_sample=np.full(5, 0.01), deflated=0.99, differing=0,
        overfitting=overfitting(np.random.default_rng(3).normal(1, 1, (99, 4)))._replace(
            probability=0.1
        ),
    )  # fmt: skip
    assert report.doubts(good) == []
    for bad in (
        {"out_of_sample": np.full(5, -0.01)}, {"deflated": 0.94}, {"deflated": None},
        {"overfitting": None}, {"differing": 1},
        {"overfitting": good.overfitting._replace(probability=0.5)},
    ):  # fmt: skip
        assert len(report.doubts(good._replace(**bad))) == 1, bad


def test_limits_that_stop_the_real_backtest_are_said(recording, tmp_path):
    result = search(
        recording,
        tmp_path,
        trials=12,
        folds=2,
        limits=b'version = "t"\n[limits]\nmax_lots = 0.05\n',
    )
    assert result.real[0].trades == []
    assert result.differing == len(result.winner.book.net) > 0
    assert "its real backtest trades otherwise than the trial" in report.doubts(result)


def test_what_cannot_be_searched_is_refused(recording, tmp_path):
    with pytest.raises(SettingsError, match="declares no parameters"):
        search(recording, tmp_path, "ema_cross")
    with pytest.raises(InputError, match="too few for 30 folds"):
        search(recording, tmp_path, folds=30)
    with_own(tmp_path, "leans", LEANS.replace("NEEDS", "True"))
    with pytest.raises(SettingsError, match="decides by a model, and none is chosen: give --model"):
        search(recording, tmp_path, "leans")
